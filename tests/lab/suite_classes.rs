//! The attacks on networks of 3 and of 10 classes against torchattacks' and Foolbox's: case by case where nothing is
//! drawn, and within a percentage point where squares are; least changes by their lengths. The values are made by
//! `tests/golden/classes.py`.

use crate::golden_network;

use golden_network::{golden, values};
use medcert::lab::attack::image::{Problem, Space, nearest, propose};
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Answer, Classifier, Victim};
use medcert::spec::{AttackLoss, ImageSearch, Norm};
use medcert::{Class, Result};

const SIDE: usize = 12;
const EPSILON: f64 = 0.06;

/// Two convolutions and a linear layer.
struct Small {
    layers: Vec<(Tensor, Tensor)>,
}

impl Classifier for Small {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let mut x = images.shallow_clone();
        for (weight, bias) in &self.layers[..2] {
            x = x.f_conv2d(weight, Some(bias), [2, 2], [1, 1], [1, 1], 1)?.f_relu()?;
        }
        Ok(x.f_flatten(1, -1)?)
    }

    fn decide(&self, image: Option<&Tensor>, _: Option<&Tensor>) -> Result<Tensor> {
        let (weight, bias) = &self.layers[2];
        Ok(image.expect("an image").f_linear(weight, Some(bias))?)
    }
}

/// A network, its cases, and what others did to them.
struct Golden {
    bytes: Vec<u8>,
    classes: usize,
    model: Small,
    labels: Vec<Class>,
    ids: Vec<String>,
}

impl Golden {
    fn of(classes: usize) -> Self {
        let bytes = golden("classes.safetensors");
        let of = |name: &str, shape: &[usize]| {
            tensor::floats(&values(&bytes, &format!("{classes}.{name}")), shape).expect(name)
        };
        let layers = vec![
            (of("0.weight", &[6, 1, 3, 3]), of("0.bias", &[6])),
            (of("2.weight", &[8, 6, 3, 3]), of("2.bias", &[8])),
            (of("5.weight", &[classes, 72]), of("5.bias", &[classes])),
        ];
        let labels: Vec<Class> = values(&bytes, &format!("golden.{classes}.labels"))
            .into_iter()
            .map(|label| Class::at(label as usize, classes))
            .collect();
        let ids = (0..labels.len()).map(|case| case.to_string()).collect();
        Self { bytes, classes, model: Small { layers }, labels, ids }
    }

    fn problem(&self, norm: Norm, epsilon: f64, seed: u64) -> Problem<'_> {
        let images = values(&self.bytes, &format!("golden.{}.images", self.classes));
        Problem {
            victim: Victim::new(&self.model, self.labels.clone()).expect("a victim"),
            images: tensor::floats(&images, &[self.labels.len(), 1, SIDE, SIDE]).expect("images"),
            text: None,
            cases: self.ids.iter().map(String::as_str).collect(),
            seed,
            space: Space::ball(norm, epsilon),
        }
    }

    fn of_others(&self, name: &str) -> Vec<f32> {
        values(&self.bytes, &format!("golden.{}.{name}", self.classes))
    }

    /// Which cases a search breaks, beside those that others break.
    fn compare(&self, search: ImageSearch, name: &str, most_others: usize) {
        let problem = self.problem(Norm::Linf, EPSILON, 0);
        let attacked = problem.project(&propose(&problem, search).expect("a proposal")).expect("images");
        let ours: Vec<bool> =
            problem.answer(&attacked).expect("answers").iter().map(Answer::is_broken).collect();
        let theirs: Vec<bool> =
            self.of_others(&format!("{name}.broken")).iter().map(|&broken| broken > 0.5).collect();
        let count = |broken: &[bool]| broken.iter().filter(|&&broken| broken).count();
        let others = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).count();
        eprintln!(
            "{} classes, {name}: {} of {} broken, by others {}; {others} differ",
            self.classes,
            count(&ours),
            ours.len(),
            count(&theirs)
        );
        assert!(others <= most_others, "{} classes, {name}: {others} cases differ", self.classes);
    }

    /// The lengths of least changes, beside those of others.
    fn compare_lengths(&self, (search, norm): (ImageSearch, Norm), name: &str, (low, high): (f32, f32)) {
        let problem = self.problem(norm, 1.0, 0);
        let ours = nearest(&problem, search).expect("a search").norms;
        let theirs = self.of_others(&format!("{name}.norm"));
        let mut ratios: Vec<f32> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
        ratios.sort_by(f32::total_cmp);
        eprintln!(
            "{} classes, {name}: ours / theirs {} least, {} median, {} most",
            self.classes,
            ratios[0],
            ratios[ratios.len() / 2],
            ratios[ratios.len() - 1]
        );
        for (case, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let fits = (low * theirs - 1e-5..=high * theirs + 1e-5).contains(ours);
            assert!(
                *theirs > 0.0 && fits,
                "{} classes, {name}, case {case}: {ours}, by others {theirs}",
                self.classes
            );
        }
    }
}

#[test]
fn attacks_on_several_classes_break_what_others_break() {
    for classes in [3, 10] {
        let golden = Golden::of(classes);
        let problem = golden.problem(Norm::Linf, EPSILON, 0);
        let clean = problem.answer(&problem.images).expect("answers");
        assert!(clean.iter().all(|answer| !answer.is_broken()), "labels");
        let apgd = |loss| ImageSearch::Apgd { loss, steps: 100, restarts: 1 };
        golden.compare(ImageSearch::Fgsm, "fgsm", 0);
        golden.compare(ImageSearch::Momentum { steps: 10 }, "momentum", 0);
        // a random start against none
        golden.compare(ImageSearch::Pgd { steps: 40, restarts: 1 }, "pgd", 1);
        golden.compare(apgd(AttackLoss::CrossEntropy), "apgd_ce", 1);
        golden.compare(apgd(AttackLoss::Margin), "apgd_dlr", 1);
        golden.compare(ImageSearch::Fab { steps: 100, restarts: 1 }, "fab_t", 1);
        let suite = ImageSearch::AutoAttack { steps: 100, queries: 300 };
        golden.compare(suite, if classes < 4 { "fab_t" } else { "suite" }, 1);
    }
}

#[test]
fn square_breaks_as_many_of_several_classes_as_that_of_others() {
    for classes in [3, 10] {
        let golden = Golden::of(classes);
        let share = |broken: &[bool]| {
            broken.iter().filter(|&&broken| broken).count() as f64 / broken.len().max(1) as f64
        };
        let ours: Vec<bool> = (0..48)
            .flat_map(|seed| {
                let problem = golden.problem(Norm::Linf, EPSILON, seed);
                let found = propose(&problem, ImageSearch::Square { queries: 300 }).expect("a proposal");
                let attacked = problem.project(&found).expect("images");
                problem.answer(&attacked).expect("answers").iter().map(Answer::is_broken).collect::<Vec<_>>()
            })
            .collect();
        let theirs: Vec<bool> =
            golden.of_others("square.broken").iter().map(|&broken| broken > 0.5).collect();
        let (mine, known) = (share(&ours), share(&theirs));
        eprintln!("{classes} classes, square: {mine} broken, by others {known}");
        assert!((mine - known).abs() <= 0.01, "{classes} classes: {mine} broken, by others {known}");
    }
}

#[test]
fn least_changes_of_several_classes_are_as_short_as_others() {
    for classes in [3, 10] {
        let golden = Golden::of(classes);
        let fab = ImageSearch::Fab { steps: 100, restarts: 1 };
        let carlini = ImageSearch::CarliniWagner { steps: 100, searches: 9 };
        golden.compare_lengths((ImageSearch::DeepFool { steps: 50 }, Norm::L2), "deepfool", (0.99, 1.001));
        golden.compare_lengths((fab, Norm::L2), "fab_l2", (0.9, 1.001));
        golden.compare_lengths((fab, Norm::Linf), "fab_linf", (0.88, 1.001));
        golden.compare_lengths((carlini, Norm::L2), "carlini", (0.99, 1.01));
    }
}
