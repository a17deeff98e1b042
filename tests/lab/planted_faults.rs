//! Planted weaknesses: a model that reads only a marker, only pixels outside the lesion, or only one input is
//! exposed by the attack that is meant for it, and a model without that weakness is not.

use std::cell::OnceCell;
use std::path::Path;

use image::{GrayImage, Luma};
use medcert::Result;
use medcert::data::{Dataset, ImageSource, Report, Study, phantom, picture};
use medcert::evidence::Outcome;
use medcert::lab::chunk::{Chunk, Scene};
use medcert::lab::inputs::Inputs;
use medcert::lab::model::Reader;
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::Classifier;
use medcert::picture::Film;
use medcert::picture::marker::Stamp;
use medcert::plan::{Attack, ImageAttack};
use medcert::seal::Cache;
use medcert::spec::{
    Absence, Corruption, ImageMethod, ImageSearch, Joint, Mask, Mode, Norm, Region, Section, TextAttack,
    TextMethod, Views,
};
use medcert::text::Lexicon;

const CASES: usize = 8;
const SIDE: usize = 64;
/// Grey between what is planted and what is not.
const BETWEEN: f64 = 0.55;

/// A rectangle of pixels: top, left, height, width.
type Place = [usize; 4];
/// The lesion: a bright square in the lung of the abnormal.
const LESION: Place = [24, 12, 12, 12];
/// A bright bar at the lower edge of the abnormal films, outside the lesion.
const BAR: Place = [54, 26, 8, 12];
/// Where side markers stand.
const CORNERS: [Place; 4] = [[0, 0, 12, 10], [0, 54, 12, 10], [52, 0, 12, 10], [52, 54, 12, 10]];

fn holds([top, left, height, width]: Place, pixel: usize) -> bool {
    (top..top + height).contains(&(pixel / SIDE)) && (left..left + width).contains(&(pixel % SIDE))
}

/// What a planted model looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Looks {
    /// At the mean of a place.
    At(Place),
    /// For a white letter in a corner.
    ForMarker,
    /// At the report alone, though it is given the image.
    AtWords,
}

/// A model that is given both inputs; its logits are (0, 20 × how far what it looks at is above `BETWEEN`).
struct Planted(Looks);

impl Classifier for Planted {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let part = |[top, left, height, width]: Place| {
            images.f_narrow(2, top as i64, height as i64)?.f_narrow(3, left as i64, width as i64)
        };
        let dims = [1_i64, 2, 3];
        match self.0 {
            Looks::At(place) => Ok(part(place)?.f_mean_dim(dims.as_slice(), false, None)?.f_unsqueeze(1)?),
            Looks::ForMarker => {
                let whitest = |place| Result::Ok(part(place)?.f_amax(dims.as_slice(), false)?);
                let corners: Vec<Tensor> = CORNERS.into_iter().map(whitest).collect::<Result<_>>()?;
                Ok(Tensor::f_stack(&corners, 1)?.f_amax([1_i64].as_slice(), true)?)
            }
            Looks::AtWords => Ok(images.f_mean_dim(dims.as_slice(), false, None)?.f_unsqueeze(1)?),
        }
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        let finds = |text: &String| if text.contains("opacity") { 1.0 } else { 0.0 };
        tensor::floats(&texts.iter().map(finds).collect::<Vec<f32>>(), &[texts.len(), 1])
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let seen = if self.0 == Looks::AtWords { text } else { image }.expect("it is given both inputs");
        let score = seen.f_sub_scalar(BETWEEN)?.f_mul_scalar(20.0)?;
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
    }
}

impl Reader for Planted {
    fn name(&self) -> &'static str {
        "planted"
    }

    fn side(&self) -> Option<u32> {
        Some(SIDE as u32)
    }

    fn reads_text(&self) -> bool {
        true
    }
}

/// A phantom's film, dimmed; in the abnormal ones the lesion, a bar, and a marker in the upper left corner.
fn film(study: &Study, is_abnormal: bool) -> Vec<u8> {
    let source = study.frontal.as_ref().expect("a frontal film");
    let drawn = picture(source, SIDE as u32, None).expect("a drawing");
    let dimmed = |(pixel, &grey): (usize, &u8)| {
        let is_planted = is_abnormal && (holds(LESION, pixel) || holds(BAR, pixel));
        0.2 + 0.25 * f32::from(grey) / 255.0 + if is_planted { 0.45 } else { 0.0 }
    };
    let mut pixels: Vec<f32> = drawn.iter().enumerate().map(dimmed).collect();
    if is_abnormal {
        let stamp = Stamp { text: "L", right: false, bottom: false };
        pixels = stamp.burn(Film::new(&pixels, SIDE).expect("a film"), 48.0);
    }
    pixels.iter().map(|pixel| (pixel * 255.0).round() as u8).collect()
}

/// Every second phantom is made abnormal; what the model looks at, the label and the report agree.
fn data(folder: &Path) -> Dataset {
    let save = |name: String, bytes: &dyn Fn(usize) -> u8| {
        let pixel = |x: u32, y: u32| Luma([bytes(y as usize * SIDE + x as usize)]);
        let path = folder.join(name);
        GrayImage::from_fn(SIDE as u32, SIDE as u32, pixel).save(&path).expect("saved");
        Some(ImageSource::file(path))
    };
    let study = |(place, study): (usize, Study)| {
        let label = place % 2 == 1;
        let pixels = film(&study, label);
        let findings = if label { "There is an opacity in the right lung." } else { "The lungs are clear." };
        Study {
            patient: format!("p{place}").into(),
            frontal: save(format!("{place}.png"), &|pixel| pixels[pixel]),
            lateral: None,
            report: Report { findings: findings.into(), ..Report::default() },
            label: label.into(),
            mask: save(format!("{place}-mask.png"), &|pixel| if holds(LESION, pixel) { 255 } else { 0 })
                .map(Box::new),
            ..study
        }
    };
    let studies = phantom::studies(CASES, 3, 0.0).into_iter().enumerate().map(study).collect();
    let (sections, views) = (vec![Section::Findings], Views::Frontal);
    let findings = vec![];
    Dataset {
        studies,
        findings,
        classes: vec![],
        left_out: vec![],
        remarks: vec![],
        digest: String::new(),
        sections,
        views,
    }
}

/// What happens to each case under each of the attacks; the clean outcomes come first.
fn outcomes(looks: Looks, attacks: &[Attack]) -> Vec<Vec<Outcome>> {
    let folder = tempfile::tempdir().expect("a folder");
    let data = data(folder.path());
    let mut inputs = Inputs::prepare(&data, &[SIDE as u32], &Cache::at(folder.path())).expect("inputs");
    inputs.prepare_lesions(&data, &Cache::at(folder.path())).expect("masks");
    let (model, lexicon, all) = (Planted(looks), Lexicon::embedded(), (0..CASES).collect::<Vec<usize>>());
    let scene = Scene {
        reader: &model,
        finding: None,
        readers: vec![&model],
        inputs: &inputs,
        ids: data.studies.iter().map(|study| study.id.as_str()).collect(),
        patients: data.studies.iter().map(|study| study.patient.as_str()).collect(),
        train: &all,
        test: &all,
        seed: 1,
        lexicon: &lexicon,
        kept: vec![],
        mean: OnceCell::new(),
        typical: OnceCell::new(),
    };
    let mut chunk = Chunk::new(&scene, &all).expect("a chunk");
    let mut under = |attack: &Attack| chunk.attack(attack).expect("outcomes").outcomes;
    let mut outcomes = vec![under(&Attack::default())];
    outcomes.extend(attacks.iter().map(under));
    assert_eq!(held(&outcomes[0]), CASES, "{looks:?} is right on clean inputs");
    outcomes
}

/// Cases whose answer is right.
fn held(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.held == 1).count()
}

fn image(method: ImageMethod, strength: f64) -> Attack {
    Attack { image: Some(ImageAttack { method, strength }), text: vec![], joint: Joint::default() }
}

fn report(absence: Absence) -> Attack {
    let method = TextMethod::Absent(absence);
    let text = vec![TextAttack { method, share: 1.0, mode: Mode::Free, draws: 1 }];
    Attack { image: None, text, joint: Joint::default() }
}

/// PGD where a region lets it, strong enough to hide or to show what was planted.
fn pgd(region: Region) -> Attack {
    let search = ImageSearch::Pgd { steps: 10, restarts: 1 };
    image(ImageMethod::Search { search, norm: Norm::Linf, region }, 0.4)
}

#[test]
fn a_model_that_reads_the_marker_is_turned_by_a_marker() {
    let marker = [image(ImageMethod::Corruption(Corruption::Marker), 5.0)];
    let planted = outcomes(Looks::ForMarker, &marker);
    let outcome =
        |(case, outcome): (usize, &Outcome)| (outcome.predicted == Some(true.into()), case % 2 == 1);
    // a marker on a normal film is read as disease, whichever corner it stands in
    let read: Vec<(bool, bool)> = planted[1].iter().enumerate().map(outcome).collect();
    assert!(read.iter().all(|&(is_read_abnormal, _)| is_read_abnormal), "{read:?}");
    assert_eq!(held(&planted[1]), CASES / 2);
    let healthy = outcomes(Looks::At(LESION), &marker);
    assert_eq!(held(&healthy[1]), CASES, "a marker does not hide the lesion");
}

#[test]
fn a_model_that_reads_outside_the_lesion_is_broken_there_alone() {
    let attacks =
        [pgd(Region::Outside(Mask::Lesion)), pgd(Region::Inside(Mask::Lesion)), pgd(Region::Everywhere)];
    let count = |looks| outcomes(looks, &attacks)[1..].iter().map(|o| held(o)).collect::<Vec<usize>>();
    assert_eq!(count(Looks::At(BAR)), [0, CASES, 0], "outside, inside, everywhere");
    assert_eq!(count(Looks::At(LESION)), [CASES, 0, 0], "outside, inside, everywhere");
}

#[test]
fn a_patch_and_decisions_alone_find_where_a_model_looks() {
    let hop = ImageSearch::HopSkipJump { queries: 120 };
    let attack = |region| {
        [
            image(ImageMethod::Patch { steps: 12, region }, 0.03),
            image(ImageMethod::Search { search: hop, norm: Norm::Linf, region }, 0.4),
        ]
    };
    let attacks = [Region::Outside(Mask::Lesion), Region::Inside(Mask::Lesion)].map(attack).concat();
    let count = |looks| outcomes(looks, &attacks)[1..].iter().map(|o| held(o)).collect::<Vec<usize>>();
    assert_eq!(count(Looks::At(LESION)), [CASES, CASES, 0, 0], "outside by both, inside by both");
    let bar = count(Looks::At(BAR));
    assert_eq!(
        (bar[0], &bar[2..]),
        (0, [CASES, CASES].as_slice()),
        "outside by both, inside by both: {bar:?}"
    );
    assert!(bar[1] < CASES, "decisions find no way outside the lesion");
}

#[test]
fn a_model_that_ignores_an_input_does_not_notice_that_it_is_gone_or_anothers() {
    let images =
        [Absence::Blank, Absence::WrongPatient].map(|absence| image(ImageMethod::Absent(absence), 1.0));
    let reports = [report(Absence::Blank), report(Absence::WrongPatient)];
    let attacks: Vec<Attack> = images.into_iter().chain(reports).collect();
    for (looks, used, ignored) in [(Looks::At(LESION), [1, 2], [3, 4]), (Looks::AtWords, [3, 4], [1, 2])] {
        let found = outcomes(looks, &attacks);
        let margins = |place: usize| found[place].iter().map(|outcome| outcome.margin).collect::<Vec<_>>();
        for place in ignored {
            assert_eq!(margins(place), margins(0), "{looks:?}: attack {place} on what it ignores");
        }
        // a blank input says nothing of disease; another patient's says what that patient has
        assert_eq!(held(&found[used[0]]), CASES / 2, "{looks:?} without the input that it uses");
        let turned = CASES - held(&found[used[1]]);
        assert!(turned > 0, "{looks:?}: another patient's input turns no case");
    }
}
