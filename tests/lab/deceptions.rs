//! Ways to make a fragile model look robust, each run for real from its spec: none of them may pass. They hide from
//! gradients, from the weakest strength, from the first cases, behind a norm, a region, a batch size or the grey levels of
//! a film; name an attack too weak to find anything, or one that has nothing to act on; count copies as cases; or loosen
//! what would tell.
//!
//! What still passes: a masked model under `checks: cheap`, which says that the checks were not run, as the last test
//! shows. A model that was trained on the test part is beyond what any attack can see; the check D6 asks for the test set.

use std::cell::Cell;

use crate::staged::{
    BAR, Film, Made, PIXELS, SIDE, Stage, beside_bar, decoy, film, fragile, hidden, sturdy, weighed,
};

use medcert::Result;
use medcert::judge::{Judgement, Verdict};
use medcert::lab::tensor::Tensor;
use medcert::spec::Check;

const CASES: usize = 128;

/// A spec about `vision` with these requirements and more lines.
fn spec(requirements: &[&str], lines: &str) -> String {
    let list = requirements.join("\n  - ");
    format!(
        "claim: c\ndata: {{phantom: {{studies: 300, seed: 7, views: frontal}}}}\nsplit: {{test: 60%, seed: 7}}\nmodels:\n  \
         vision: {{se_resnet18: {{image: {SIDE}, width: 8, train: {{lr: 2e-3, epochs: 1}}}}}}\n{lines}\nrequire:\n  - {list}\n"
    )
}

/// What becomes of a requirement on a model; the error where the run refuses it.
fn judged(stage: &Stage, requirement: &str, lines: &str, model: Made) -> Result<Judgement> {
    let (_, _, judgement) = stage.run(&spec(&[requirement], lines), &[model])?;
    let finding = &judgement.findings[0];
    eprintln!("{}: {requirement}: {}", finding.verdict, finding.clauses[0].reason);
    for raised in &judgement.checks {
        eprintln!(
            "    {} {}: {}",
            raised.counts().map_or("-".into(), |verdict| verdict.to_string()),
            raised.check,
            raised.message
        );
    }
    Ok(judgement)
}

/// Judges it, and holds that it does not pass.
fn caught(requirement: &str, lines: &str, model: Made) -> Judgement {
    caught_on(&Stage::new(CASES), requirement, lines, model)
}

fn caught_on(stage: &Stage, requirement: &str, lines: &str, model: Made) -> Judgement {
    let judgement = judged(stage, requirement, lines, model).expect("evidence");
    assert_ne!(judgement.findings[0].verdict, Verdict::Pass, "{requirement}: {:?}", judgement.findings[0]);
    assert_ne!(judgement.exit_code(), 0, "{requirement}");
    judgement
}

fn raises(judgement: &Judgement, check: Check) {
    assert!(judgement.checks.iter().any(|raised| raised.check == check), "{check}: {:?}", judgement.checks);
}

/// Honest: the bar alone decides.
fn sound() -> Made {
    Made::vision(|images| Ok(sturdy(images)?.f_mul_scalar(10.0)?))
}

/// Fragile, and hides it from gradients.
fn masked() -> Made {
    Made::vision(|images| hidden(&fragile(images)?, images))
}

/// Fragile, and honest about it.
fn honest() -> Made {
    Made::vision(|images| Ok(fragile(images)?.f_mul_scalar(50.0)?))
}

#[test]
fn an_honest_sturdy_model_passes_and_no_check_is_raised() {
    let stage = Stage::new(CASES);
    for requirement in ["vision accuracy ≥ 80% at FGSM ε≤0.05", "vision accuracy ≥ 80% at PGD-L2-20 ε=1.5"]
    {
        let judgement = judged(&stage, requirement, "", sound()).expect("evidence");
        assert_eq!(judgement.findings[0].verdict, Verdict::Pass, "{:?}", judgement.findings[0]);
        assert_eq!((judgement.exit_code(), judgement.checks.len()), (0, 0), "{:?}", judgement.checks);
    }
}

#[test]
fn an_honest_fragile_model_fails() {
    let judgement = caught("vision accuracy ≥ 80% at FGSM ε≤0.05", "", honest());
    assert_eq!(judgement.findings[0].verdict, Verdict::Fail);
}

#[test]
fn masking_hides_from_no_attack_that_follows_gradients() {
    for attack in [
        "FGSM ε=0.05",
        "R-FGSM ε=0.05",
        "PGD-20 ε=0.05",
        "MI-FGSM ε=0.05",
        "APGD-20 ε=0.05",
        "APGD-margin ε=0.05 steps=20",
        "AutoAttack ε=0.05 steps=5 queries=2",
    ] {
        let judgement = caught(&format!("vision accuracy ≥ 80% at {attack}"), "", masked());
        raises(&judgement, Check::BlackBox);
    }
}

#[test]
fn masking_does_not_hide_from_the_weakest_point_of_a_grid() {
    let judgement = caught("vision accuracy ≥ 80% at FGSM ε≤0.05", "grid: [0.003, 0.01, 0.05]", masked());
    raises(&judgement, Check::BlackBox);
    // nor where another requirement, which is true, names the weak point alone
    let sentences = ["vision accuracy ≥ 80% at FGSM ε=0.003", "vision accuracy ≥ 80% at FGSM ε=0.05"];
    let (_, _, judgement) = Stage::new(CASES).run(&spec(&sentences, ""), &[masked()]).expect("evidence");
    assert_ne!(judgement.findings[1].verdict, Verdict::Pass);
}

#[test]
fn masking_does_not_hide_behind_a_norm() {
    for attack in [
        "PGD-L2-20 ε=1.5",
        "DeepFool ε=1.5",
        "CW ε=1.5 steps=20 searches=2",
        "FAB-L2-10 ε=1.5",
        "FAB-10 ε=0.05",
    ] {
        caught(&format!("vision accuracy ≥ 80% at {attack}"), "", masked());
    }
}

#[test]
fn masking_does_not_hide_behind_a_region() {
    let stage = Stage::new(CASES).with_lesions(|_| true);
    for attack in
        ["PGD-20 ε=0.05 outside lesion", "FGSM ε=0.05 outside attribution", "PGD-L2-20 ε=1.5 outside lesion"]
    {
        caught_on(&stage, &format!("vision accuracy ≥ 80% at {attack}"), "", masked());
    }
}

#[test]
fn masking_hides_from_no_other_metric_or_clause() {
    for requirement in [
        "vision sensitivity ≥ 80% at PGD-20 ε=0.05",
        "vision specificity ≥ 80% at PGD-20 ε=0.05",
        "vision flips ≤ 20% at PGD-20 ε=0.05",
        "vision accuracy ≥ 80%, ≥ 80% at PGD-20 ε=0.05",
    ] {
        caught(requirement, "", masked());
    }
}

#[test]
fn a_patch_without_a_gradient_finds_what_a_patch_with_one_is_led_away_from() {
    for requirement in ["vision accuracy ≥ 80% under 12% patch-5", "vision accuracy ≥ 80% under 12% patch-2"]
    {
        let judgement = caught(requirement, "", masked());
        raises(&judgement, Check::BlackBox);
    }
    let stage = Stage::new(CASES).with_lesions(|_| true);
    caught_on(&stage, "vision accuracy ≥ 80% under 12% patch-5 outside lesion", "", masked());
}

/// Whether each film is one of the first so many, by the pixel that says so.
fn is_early(images: &Tensor) -> Result<Tensor> {
    Ok(images.f_narrow(2, 0, 1)?.f_narrow(3, 0, 1)?.f_flatten(1, -1)?.f_gt(0.5)?)
}

/// Films whose first pixel is white in the first `early` cases, and black in the others.
fn signed_films(early: usize) -> impl Fn(usize, bool) -> Film {
    move |case, label| {
        let usual = film(case, label);
        Box::new(move |row, column| match (row, column) {
            (0, 0) => f64::from(u8::from(case < early)),
            _ => usual(row, column),
        })
    }
}

#[test]
fn a_model_that_behaves_on_the_first_cases_is_seen_on_others() {
    for early in [32, 64] {
        let stage = Stage::of(CASES * 2, &signed_films(early));
        let model = Made::vision(|images| {
            let (kept, masked) = (sturdy(images)?.f_mul_scalar(10.0)?, hidden(&fragile(images)?, images)?);
            Ok(kept.f_where_self(&is_early(images)?, &masked)?)
        });
        caught_on(&stage, "vision accuracy ≥ 80% at PGD-20 ε=0.05", "", model);
    }
}

#[test]
fn a_model_that_is_masked_on_every_second_case_is_caught() {
    let stage = Stage::of(CASES, &|case, label| {
        let usual = film(case, label);
        Box::new(move |row, column| match (row, column) {
            (0, 0) => f64::from(u8::from(case % 4 < 2)),
            _ => usual(row, column),
        })
    });
    let model = Made::vision(|images| {
        let (kept, masked) = (sturdy(images)?.f_mul_scalar(10.0)?, hidden(&fragile(images)?, images)?);
        Ok(kept.f_where_self(&is_early(images)?, &masked)?)
    });
    caught_on(&stage, "vision accuracy ≥ 80% at PGD-20 ε=0.05", "", model);
}

/// The value of one score, with the gradient of another.
fn with_gradient_of(value: &Tensor, other: &Tensor) -> Result<Tensor> {
    Ok(value.f_detach()?.f_add(&other.f_sub(&other.f_detach()?)?)?)
}

#[test]
fn gradients_that_lie_by_batch_size_are_caught() {
    for lies in [|batch: i64| batch > 1, |batch: i64| batch >= 32, |batch: i64| batch > 0] {
        let model = Made::vision(move |images| {
            let score = fragile(images)?.f_mul_scalar(50.0)?;
            if lies(images.size()[0]) { with_gradient_of(&score, &decoy(images)?) } else { Ok(score) }
        });
        caught("vision accuracy ≥ 80% at PGD-20 ε=0.05", "", model);
    }
}

#[test]
fn answers_that_depend_on_the_batch_or_on_chance_are_caught() {
    let by_batch = Made::vision(|images| {
        let score = fragile(images)?.f_mul_scalar(50.0)?;
        if images.size()[0] >= 16 { Ok(sturdy(images)?.f_mul_scalar(10.0)?) } else { Ok(score.f_neg()?) }
    });
    let noisy = Made::vision(|images| {
        let score = fragile(images)?.f_mul_scalar(50.0)?;
        Ok(score.f_add(&score.f_randn_like()?.f_mul_scalar(0.3)?)?)
    });
    for model in [by_batch, noisy] {
        match judged(&Stage::new(CASES), "vision accuracy ≥ 80% at PGD-20 ε=0.05", "", model) {
            Ok(judgement) => assert_ne!(judgement.findings[0].verdict, Verdict::Pass),
            Err(why) => assert_eq!(why.exit_code(), 4, "{why}"),
        }
    }
}

#[test]
fn a_model_that_changes_after_some_calls_is_refused() {
    for calls in [1, 7, 40, 130, 400] {
        let asked = Cell::new(0);
        let model = Made::vision(move |images| {
            asked.set(asked.get() + 1);
            if asked.get() <= calls {
                Ok(fragile(images)?.f_mul_scalar(50.0)?)
            } else {
                hidden(&fragile(images)?, images)
            }
        });
        match judged(&Stage::new(CASES), "vision accuracy ≥ 80% at PGD-20 ε=0.05", "", model) {
            Ok(judgement) => assert_ne!(judgement.findings[0].verdict, Verdict::Pass, "{calls}"),
            Err(why) => assert_eq!(why.exit_code(), 4, "{calls}: {why}"),
        }
    }
}

#[test]
fn a_gradient_that_is_lost_is_caught() {
    let saturated = Made::vision(|images| Ok(fragile(images)?.f_mul_scalar(1e6)?));
    let levels = Made::vision(|images| {
        let rounded = images.f_mul_scalar(255.0)?.f_round()?.f_div_scalar(255.0)?;
        Ok(fragile(&rounded)?.f_mul_scalar(50.0)?)
    });
    let bits = Made::vision(|images| {
        let rounded = images.f_mul_scalar(16.0)?.f_round()?.f_div_scalar(16.0)?;
        Ok(fragile(&rounded)?.f_mul_scalar(50.0)?)
    });
    let straight =
        Made::vision(|images| with_gradient_of(&fragile(images)?.f_mul_scalar(50.0)?, &decoy(images)?));
    let ripple = Made::vision(|images| {
        let score = fragile(images)?.f_mul_scalar(50.0)?;
        Ok(score.f_add(&decoy(images)?.f_mul_scalar(1e5)?.f_sin()?.f_mul_scalar(0.2)?)?)
    });
    for model in [saturated, levels, bits, straight, ripple] {
        caught("vision accuracy ≥ 80% at PGD-20 ε=0.05", "", model);
    }
}

/// Whether every pixel of a film is one of 256 grey levels, `[cases, 1]`.
fn is_film(images: &Tensor) -> Result<Tensor> {
    let levels = images.f_mul_scalar(255.0)?;
    let off = levels.f_sub(&levels.f_round()?)?.f_abs()?.f_flatten(1, -1)?;
    Ok(off.f_amax([1_i64].as_slice(), true)?.f_lt(0.01)?)
}

#[test]
fn a_model_that_knows_attacked_films_by_their_grey_levels_is_caught() {
    // what no film holds is answered by the bar, which no attack reaches
    let model = Made::vision(|images| {
        let (film, other) = (fragile(images)?.f_mul_scalar(50.0)?, sturdy(images)?.f_mul_scalar(10.0)?);
        Ok(film.f_where_self(&is_film(images)?, &other)?)
    });
    caught("vision accuracy ≥ 80% at FGSM ε=0.05", "", model);
    let model = Made::vision(|images| {
        let (film, other) = (hidden(&fragile(images)?, images)?, sturdy(images)?.f_mul_scalar(10.0)?);
        Ok(film.f_where_self(&is_film(images)?, &other)?)
    });
    caught("vision accuracy ≥ 80% at PGD-L2-20 ε=1.5", "", model);
}

/// Left half less right half.
fn sides(row: usize, column: usize) -> f64 {
    if column < SIDE / 2 { beside_bar(row, column) } else { -beside_bar(row, column) }
}

#[test]
fn a_model_that_no_uniform_move_turns_is_turned_by_halves() {
    // the tell-tale is that the left half is brighter, which up, down, exposure and contrast leave alone
    let films = |case: usize, label: bool| -> Film {
        let usual = film(case, label);
        let (tilt, level) = if label { (0.02, -0.02) } else { (-0.02, 0.02) };
        Box::new(move |row, column| {
            let side = if column < SIDE / 2 { tilt } else { -tilt };
            // the bar stays, and the usual tell-tale is taken away
            usual(row, column) + beside_bar(row, column) * (side + level)
        })
    };
    let stage = Stage::of(CASES, &films);
    for attack in ["PGD-L2-20 ε=1.5", "PGD-20 ε=0.05"] {
        let model = Made::vision(|images| {
            // as much of the film lies to the left of the bar's columns as to the right, but for the bar
            let middle =
                weighed(images, sides)?.f_sub(&weighed(images, beside_bar)?.f_mul_scalar(BALANCE)?)?;
            hidden(&middle, images)
        });
        caught_on(&stage, &format!("vision accuracy ≥ 80% at {attack}"), "", model);
    }
}

/// What the bar takes from the left half's share of the film.
const BALANCE: f64 = -(BARRED as f64) / (PIXELS - BARRED) as f64;
const BARRED: usize = (BAR.0.end - BAR.0.start) * (BAR.1.end - BAR.1.start);

#[test]
fn an_attack_too_weak_to_find_anything_shows_nothing() {
    for attack in [
        "Square-2 ε=0.05",
        "SPSA ε=0.05 steps=1 samples=2",
        "NES ε=0.05 steps=1 samples=2",
        "HopSkipJump-20 ε=0.05",
        "PGD-1 ε=0.05",
    ] {
        caught(&format!("vision accuracy ≥ 80% at {attack}"), "", masked());
    }
}

#[test]
fn a_strength_that_nobody_can_see_shows_nothing() {
    for attack in ["FGSM ε=0.001", "PGD-20 ε=0.0005", "PGD-L2-20 ε=0.0005", "DeepFool ε=0.001"] {
        caught(&format!("vision accuracy ≥ 80% at {attack}"), "", honest());
    }
}

#[test]
fn an_attack_that_has_nothing_to_act_on_shows_nothing() {
    let none = Stage::new(CASES).with_lesions(|_| false);
    for attack in ["PGD-20 ε=0.05 inside lesion", "5% patch-5 inside lesion", "DeepFool ε=1.5 inside lesion"]
    {
        let judgement = caught_on(&none, &format!("vision accuracy ≥ 80% under {attack}"), "", honest());
        assert_eq!(judgement.findings[0].verdict, Verdict::Error, "{attack}");
    }
    let few = Stage::new(CASES).with_lesions(|case| case % 16 == 1);
    let judgement = caught_on(&few, "vision accuracy ≥ 80% under FGSM ε=0.05 inside lesion", "", sound());
    assert_eq!(judgement.findings[0].verdict, Verdict::Inconclusive);
    // a patch that is larger than the place it may cover
    let lesions = Stage::new(CASES).with_lesions(|_| true);
    let judgement =
        caught_on(&lesions, "vision accuracy ≥ 80% under 25% patch-5 inside lesion", "", honest());
    assert_eq!(judgement.findings[0].verdict, Verdict::Error);
}

#[test]
fn copies_are_not_cases() {
    let films = 12;
    let exact = Stage::of(CASES, &|case, label| film(case % films, label));
    let near = Stage::of(CASES, &|case, label| {
        let (usual, other) = (film(case % films, label), (case / films) as f64 / 255.0);
        Box::new(move |row, column| {
            usual(row, column) + if (row * 5 + column * 3) % 7 == 0 { other / 8.0 } else { 0.0 }
        })
    });
    for stage in [exact, near] {
        // alone each film is right, and twelve films are too few
        let judgement = caught_on(&stage, "vision accuracy ≥ 90%", "", sound());
        assert_eq!(judgement.findings[0].verdict, Verdict::Inconclusive, "{:?}", judgement.findings[0]);
    }
}

#[test]
fn a_loosened_trigger_needs_a_signature() {
    let requirement = "vision accuracy ≥ 80% at PGD-20 ε=0.05";
    let expired = "checks: {M5: {trigger: 100%, owner: A, reason: B, expires: 2026-11-01}}";
    for lines in ["checks: {M5: 100%}", expired] {
        let judgement = caught(requirement, lines, masked());
        raises(&judgement, Check::BlackBox);
    }
    // a signature for one model does not cover another's check, nor one check the next
    let other = "waivers: [{check: M4, owner: A, reason: B, expires: 2027-06-30}]";
    caught(requirement, other, masked());
}

#[test]
fn a_model_that_answers_nothing_but_the_majority_or_always_one_class_is_vacuous() {
    let constant = Made::vision(|images| Ok(decoy(images)?.f_mul_scalar(0.1)?.f_add_scalar(3.0)?));
    let stage = Stage::of(CASES, &film);
    let judgement = caught_on(&stage, "vision sensitivity ≥ 80% at PGD-20 ε=0.05", "", constant);
    assert_eq!(judgement.findings[0].verdict, Verdict::Vacuous);
}

/// A spec of an image model, and of one that reads both.
fn both(requirement: &str, threats: &str) -> String {
    format!(
        "claim: c\ndata: {{phantom: {{studies: 300, seed: 7, views: frontal}}}}\nsplit: {{test: 60%, seed: 7}}\nmodels:\n  \
         vision: {{se_resnet18: {{image: {SIDE}, width: 8, train: {{lr: 2e-3, epochs: 1}}}}}}\n  language: {{bert: {{config: \
         tiny, train: {{lr: 2e-3, epochs: 1}}}}}}\n  fusion: {{early_fusion: {{vision: vision, language: language, train: \
         {{lr: 2e-3, epochs: 1}}}}}}\n{threats}\nrequire: [{requirement}]\n"
    )
}

#[test]
fn words_that_an_attack_cannot_find_show_nothing() {
    let of_word = |text: &str| if text.contains("opacity") { 0.2 } else { -0.2 };
    let models = || {
        let score = |images: &Tensor| Ok(sturdy(images)?.f_mul_scalar(10.0)?);
        let of = |name, words: Option<fn(&str) -> f32>| Made { name, score: Box::new(score), words };
        [of("vision", None), of("language", Some(of_word)), of("fusion", Some(of_word))]
    };
    let run = |stage: &Stage, requirement: &str| {
        let models = models();
        let (_, _, judgement) = stage.run(&both(requirement, ""), &models).expect("evidence");
        eprintln!("{requirement}: {:?}", judgement.findings[0]);
        judgement.findings[0].verdict
    };
    // numbers and marks are no words
    let bare = Stage::new(64).with_reports(|case| if case % 2 == 1 { "1 2 3 ." } else { "4 5 6 ." }.into());
    let usual = Stage::new(64);
    for (stage, attack) in [
        (&bare, "20% synonyms"),
        (&bare, "negation"),
        (&bare, "20% typos"),
        (&usual, "20% units"),
        (&usual, "20% deidentification"),
        // the image is attacked, and no word is
        (&bare, "FGSM ε=0.02 + 20% synonyms"),
        (&usual, "FGSM ε=0.02 then 20% units"),
    ] {
        let verdict = run(stage, &format!("fusion accuracy ≥ 50% under {attack}"));
        assert!(verdict != Verdict::Pass, "{attack}: {verdict}");
    }
}

#[test]
fn cheap_checks_say_that_they_were_not_run() {
    let judgement =
        judged(&Stage::new(CASES), "vision accuracy ≥ 80% at PGD-20 ε=0.05", "checks: cheap", masked());
    let judgement = judgement.expect("evidence");
    let black_box = judgement.examined.iter().find(|one| one.check == Check::BlackBox).expect("it is listed");
    assert_eq!(black_box.state, medcert::judge::CheckState::NotRun);
    assert_eq!(judgement.findings[0].verdict, Verdict::Pass, "what `cheap` gives up");
}
