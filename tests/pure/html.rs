//! The HTML report: what it holds, that its drawings are to scale, that hostile text stays text and nothing loads.

use crate::made_evidence;

use jiff::civil::date;
use made_evidence::{TODAY, World, at_least, beside, bounded, deletion, fgsm, measuring, outcome, pgd};
use medcert::evidence::{Answered, Counterexample, Exhibit, Pictures, Wording};
use medcert::judge::{Judgement, Tally};
use medcert::plan::Attack;
use medcert::report::html::{About, render};
use medcert::report::{self, summary};
use medcert::spec::{
    Absence, Asked, Bound, Check, Condition, Figure, Metric, Place, Strength, Threat, Waiver,
};

/// A gray picture of 2 × 2 pixels.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGNogEIGMAIAJRAGAZ0fLlgAAAAASUVORK5CYII=";

/// A result with every verdict, a waiver of each state, a joint attack, replaced inputs and published figures.
fn world() -> World {
    let labels: Vec<bool> = (0..400).map(|place| place % 5 < 3).collect();
    let mut world = World::new(&labels);
    let vision = world.cell(0, Attack::default(), |place, _| place % 10 != 0);
    let weak = world.cell(0, fgsm(0.02), |place, _| place % 4 != 0);
    let broken = world.cell(0, fgsm(0.1), |_, label| label);
    let language = world.cell(1, Attack::default(), |place, _| place % 25 != 0);
    let deleted = world.cell(1, deletion(), |place, _| place % 6 != 0);
    let fusion = world.cell(2, Attack::default(), |place, _| place % 50 != 0);
    let attacked = world.cell(2, fgsm(0.1), |place, _| place % 3 != 0 && place % 50 != 0);
    let worded = world.cell(2, deletion(), |place, _| place % 7 != 0);
    let both = Attack { image: fgsm(0.1).image, text: deletion().text, ..Attack::default() };
    let joint = world.cell(2, both, |place, _| place % 4 != 0);
    // an iterated attack that rights wrong cases, which a waiver covers
    world.cell(0, pgd(0.02), |place, _| place % 4 != 0);
    for (image, absence) in [(true, Absence::Blank), (true, Absence::WrongPatient), (false, Absence::Blank)] {
        let attack = medcert::plan::probes::replaced(image, absence);
        world.probe(2, attack, 400, |place, _| place % 8 != 0);
    }
    world.row("clean", vec![vec![vision], vec![language], vec![fusion]]);
    world.row("FGSM ε≤0.1", vec![vec![weak, broken], vec![], vec![attacked]]);
    world.row("50% deletion", vec![vec![], vec![deleted], vec![worded]]);
    world.row("FGSM ε=0.1 + 50% deletion", vec![vec![], vec![], vec![joint]]);
    sentences(&mut world, [vision, broken, language, deleted, fusion, attacked]);
    world.plan.spec.table = world.plan.rows.iter().map(|_| Condition::clean()).collect();
    world.plan.spec.published =
        [(0.0, 0.68), (0.1, 0.6306)].map(|(epsilon, share)| published(epsilon, share)).into();
    let waiver = |check, expires| Waiver {
        check,
        model: Some(0),
        owner: "Ada Byron".into(),
        reason: "known, ticket 12".into(),
        expires,
        place: Place::default(),
    };
    world.plan.spec.waivers = vec![
        waiver(Check::AboveClean, TODAY),
        waiver(Check::Flat, date(2027, 1, 1)),
        waiver(Check::Gradient, date(2020, 1, 1)),
    ];
    world.evidence.counterexamples = vec![Counterexample {
        model: "fusion".into(),
        attack: "FGSM ε=0.1 + 50% deletion".into(),
        case: "s4".into(),
        edits: vec![],
        epsilon: Some(0.012),
        pixels: Some(31),
        queries: 40,
    }];
    world
}

fn sentences(world: &mut World, [vision, broken, language, deleted, fusion, attacked]: [usize; 6]) {
    let clauses = vec![
        at_least("fusion accuracy ≥ 90%", 2, vec![fusion], 0.9),
        at_least("≥ 80% at FGSM ε≤0.1", 2, vec![attacked], 0.8),
    ];
    world.require("fusion accuracy ≥ 90%, ≥ 80% at FGSM ε≤0.1", clauses);
    let words = "language accuracy ≥ 96%";
    world.require(words, vec![at_least(words, 1, vec![language], 0.96)]);
    let words = "vision accuracy ≥ 50% at FGSM ε=0.1";
    world.require(words, vec![at_least(words, 0, vec![broken], 0.5)]);
    let words = "fusion sensitivity ≥ language sensitivity − 2%";
    let clause = at_least(words, 2, vec![fusion], 0.0);
    world.require(words, vec![measuring(Metric::Sensitivity, beside(1, vec![deleted], -0.02, clause))]);
    let words = "fusion accuracy ≥ 10% under nothing";
    world.require(words, vec![at_least(words, 2, vec![], 0.1)]);
    let words = "vision missed ≤ 30%";
    let clause = at_least(words, 0, vec![vision], 0.0);
    world.require(words, vec![measuring(Metric::Missed, bounded(Bound::AtMost(0.3), clause))]);
}

fn published(epsilon: f64, share: f64) -> Figure {
    let method = fgsm(epsilon).image.expect("an image").method;
    let threat = Threat::Image { method, strength: Strength::At(epsilon) };
    let threats = if epsilon > 0.0 { vec![threat] } else { vec![] };
    let condition = Condition { threats, ..Condition::clean() };
    Figure { model: 0, asked: Asked::Abnormal, metric: Metric::Accuracy, share, condition }
}

fn exhibit() -> Exhibit {
    Exhibit {
        model: "fusion".into(),
        attack: "FGSM ε=0.1 + 50% deletion".into(),
        case: "s4".into(),
        label: true.into(),
        before: Answered { predicted: Some(true.into()), margin: Some(2.31) },
        after: Answered { predicted: Some(false.into()), margin: Some(-0.42) },
        image: Some(Pictures {
            side: 2,
            before: PNG.into(),
            after: PNG.into(),
            difference: PNG.into(),
            change: 0.1,
        }),
        text: Some(Wording {
            before: "There is a large left effusion. No pneumothorax.".into(),
            after: "There is a left effusion. Pneumothorax.".into(),
        }),
    }
}

fn about() -> About {
    About {
        generated: "2026-11-25 07:00 UTC".into(),
        command: "medcert check specs/hand.yaml".into(),
        review: vec![],
    }
}

fn page(world: &World, exhibits: &[Exhibit]) -> (String, Judgement) {
    let judgement = world.judged();
    let result = report::ReportInput {
        plan: &world.plan,
        evidence: &world.evidence,
        judgement: &judgement,
        accepted: None,
    };
    (render(result, exhibits, &about()), judgement)
}

/// The page without its style.
fn body(page: &str) -> &str {
    page.split_once("</style>").map_or("", |(_, body)| body)
}

/// What stands between tags, a line each block; references resolved.
fn text(page: &str) -> String {
    let mut text = String::new();
    for part in body(page).split('<').skip(1) {
        let (tag, rest) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        let is_inline =
            ["span", "b", "a", "svg", "path", "rect", "line", "circle", "polygon", "polyline", "code"];
        text.push(if is_inline.contains(&name) { ' ' } else { '\n' });
        text.push_str(match name {
            "del" if tag.starts_with('d') => "[-",
            "ins" if tag.starts_with('i') => "[+",
            "del" | "ins" => "]",
            _ => "",
        });
        text.push_str(rest);
    }
    for (reference, c) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ] {
        text = text.replace(reference, c);
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The value of an attribute of every element of a class, in order.
fn values(page: &str, class: &str, attribute: &str) -> Vec<f64> {
    let elements = body(page).split('<').filter(|element| {
        let classes =
            element.split("class=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        class.split(' ').all(|wanted| classes.split(' ').any(|own| own == wanted))
    });
    let start = format!(" {attribute}=\"");
    let value = |element: &str| {
        let rest = element.split_once(&start)?.1;
        rest.split(['%', '"']).next()?.parse().ok()
    };
    elements.filter_map(value).collect()
}

fn near(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len(), "{found:?} {wanted:?}");
    assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 0.01), "{found:?} {wanted:?}");
}

#[test]
fn what_a_person_reads() {
    let (page, _) = page(&world(), &[exhibit()]);
    let processor = medcert::evidence::processor_of(&world().evidence.run);
    insta::assert_snapshot!(text(&page).replace(&processor, "PROCESSOR"));
}

#[test]
fn every_verdict_sentence_and_check_is_in_it() {
    let (page, judgement) = page(&world(), &[]);
    let text = text(&page);
    for word in ["PASS", "INCONCLUSIVE", "FAIL", "VACUOUS", "ERROR"] {
        assert!(judgement.findings.iter().any(|finding| finding.verdict.to_string() == word), "{word}");
    }
    for finding in &judgement.findings {
        assert!(text.contains(&finding.sentence), "{}", finding.sentence);
        for clause in &finding.clauses {
            assert!(text.contains(&clause.reason), "{}", clause.reason);
        }
    }
    assert!(judgement.checks.len() > 3);
    for raised in &judgement.checks {
        assert!(
            text.contains(&raised.check.to_string()) && text.contains(&raised.message),
            "{}",
            raised.message
        );
    }
    assert!(text.contains(&summary(&judgement.findings)[1..]));
    for (word, class) in [("PASS", "pass"), ("SUSPECT", "suspect"), ("ERROR", "error"), ("waived", "waived")]
    {
        let badge = format!("<span class=\"badge {class}\"><svg class=\"sign\"");
        assert!(page.contains(&badge) && text.contains(word), "{word} has a colour and a sign");
    }
}

#[test]
fn clauses_are_drawn_to_scale() {
    let world = world();
    let (page, judgement) = page(&world, &[]);
    let known: Vec<_> = judgement
        .findings
        .iter()
        .flat_map(|finding| &finding.clauses)
        .filter(|clause| clause.estimate.trials > 0)
        .collect();
    // the fourth sentence has a scale of its own: differences
    let share = |place: &usize| *place != 4;
    let places: Vec<usize> = (0..known.len()).filter(share).collect();
    let estimates = values(&page, "estimate", "cx");
    let (starts, widths) = (values(&page, "interval", "x"), values(&page, "interval", "width"));
    assert_eq!(estimates.len(), known.len());
    let pick = |all: &[f64]| places.iter().map(|place| all[*place]).collect::<Vec<_>>();
    let wanted = |of: fn(&medcert::judge::ClauseFinding) -> f64| {
        places.iter().map(|place| of(known[*place]) * 100.0).collect::<Vec<_>>()
    };
    near(&pick(&estimates), &wanted(|clause| clause.value));
    near(&pick(&starts), &wanted(|clause| clause.lower));
    near(&pick(&widths), &wanted(|clause| clause.upper - clause.lower));
    // whatever its ends are, the scale of differences is straight and keeps the order
    let (found, place) = (known[4], 4);
    let way = |value: f64| (value - found.lower) / (found.upper - found.lower);
    near(&[(estimates[place] - starts[place]) / widths[place]], &[way(found.value)]);
    let thresholds = values(&page, "threshold", "x1");
    near(&[(thresholds[place] - starts[place]) / widths[place]], &[way(found.threshold)]);
    near(&thresholds[..4], &[90.0, 80.0, 96.0, 50.0]);
}

#[test]
fn accuracy_against_strength_is_drawn_to_scale() {
    let world = world();
    let (page, _) = page(&world, &[]);
    let tally = Tally::new(&world.plan, &world.evidence).expect("sound evidence");
    let share =
        |cell: usize, model| tally.score(model, &[cell], Metric::Accuracy).expect("counted").estimate.share();
    let chart = page.split("<svg class=\"chart\"").nth(1).and_then(|rest| rest.split("</figure>").next());
    let chart = format!("</style>{}", chart.expect("a chart"));
    let drawn = chart.split("<ul").next().expect("a picture").to_string();
    let ours: Vec<f64> =
        [(0, 0), (1, 0), (2, 0), (5, 2), (6, 2)].map(|(cell, model)| share(cell, model)).into();
    let up = |share: &f64| (1.0 - share) * 100.0;
    let marks = drawn.replace("mark hollow", "theirs");
    near(&values(&marks, "mark", "x"), &[0.0, 20.0, 100.0, 0.0, 100.0]);
    near(&values(&marks, "mark", "y"), &ours.iter().map(up).collect::<Vec<_>>());
    near(&values(&marks, "theirs", "y"), &[32.0, 36.94]);
    near(&values(&marks, "majority", "y1"), &[40.0]);
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let (page, _) = page(&world(), &[exhibit()]);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
    assert!(page.contains(&format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")));
    // a filter of the page itself is no address
    let lower = page.to_lowercase().replace("url(#", "");
    for word in [
        "http:",
        "https:",
        "//",
        "url(",
        "@import",
        "<script",
        "<link",
        "<iframe",
        "<object",
        "<base",
        "javascript:",
        "srcset",
    ] {
        assert!(!lower.contains(word), "{word}");
    }
    for part in lower.split("src=").skip(1) {
        assert!(part.starts_with("\"data:image/png;base64,"), "{}", &part[..40]);
    }
    for part in lower.split("href=").skip(1) {
        assert!(part.starts_with("\"#"), "{}", &part[..20]);
    }
    // ` onload=`, and not the words of a label
    let handles = |tag: &str| {
        let mut rests = tag.split(" on").skip(1);
        rests.any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).starts_with('='))
    };
    assert!(!lower.split('<').any(|tag| tag.split('>').next().is_some_and(handles)), "a handler");
}

#[test]
fn hostile_text_stays_text() {
    let evil = "</style><script>alert(1)</script>\"'><img src=x onerror=y>\u{1b}[31m\u{9b}2J\u{202e}::error::{{7*7}}&";
    let mut world = world();
    world.plan.spec.claim = evil.into();
    world.plan.spec.path = evil.into();
    for (name, _) in &mut world.plan.spec.models {
        name.push_str(evil);
    }
    world.plan.subjects = medcert::plan::subjects(&world.plan.spec);
    for model in &mut world.evidence.models {
        model.name.push_str(evil);
        model.architecture = evil.into();
    }
    for cell in world.evidence.cells.iter_mut().chain(&mut world.evidence.probes) {
        cell.model.push_str(evil);
    }
    for health in &mut world.evidence.health {
        health.model.push_str(evil);
    }
    world.plan.rows[0].words = evil.into();
    for requirement in &mut world.plan.requirements {
        requirement.sentence = evil.into();
        requirement.clauses.iter_mut().for_each(|clause| clause.asked.words = evil.into());
    }
    for waiver in &mut world.plan.spec.waivers {
        waiver.owner = evil.into();
        waiver.reason = evil.into();
    }
    world.evidence.data.left_out.push((evil.into(), 1));
    world.evidence.medcert = evil.into();
    let mut shown = exhibit();
    for field in [&mut shown.model, &mut shown.attack, &mut shown.case] {
        *field = evil.into();
    }
    shown.text = Some(Wording { before: format!("{evil} one two"), after: format!("one {evil} three") });
    let pictures = Pictures {
        side: 2,
        before: evil.into(),
        after: PNG.into(),
        difference: PNG.into(),
        change: f32::NAN,
    };
    shown.image = Some(pictures);
    let judgement = world.judged();
    let result = report::ReportInput {
        plan: &world.plan,
        evidence: &world.evidence,
        judgement: &judgement,
        accepted: None,
    };
    let page = render(
        result,
        &[shown],
        &About { generated: evil.into(), command: evil.into(), review: vec![evil.into()] },
    );
    assert!(page.matches("alert(1)").count() > 15, "the text is there");
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(!page.contains("<script") && !page.contains("<img src=x") && !page.contains("\"'><"));
    let harmless = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
    assert!(page.chars().all(harmless));
    let (clean, _) = self::page(&self::world(), &[exhibit()]);
    let tags = |page: &str| {
        let names = body(page)
            .split('<')
            .skip(1)
            .map(|part| part.split([' ', '>']).next().unwrap_or_default().to_string());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    assert!(tags(&page).is_subset(&tags(&clean)), "{:?}", tags(&page).difference(&tags(&clean)));
}

#[test]
fn evidence_that_does_not_fit_is_told() {
    let mut world = world();
    world.evidence.cells[0].outcomes.pop();
    let (page, _) = page(&world, &[]);
    assert!(text(&page).contains("No table: "));
    assert!(!page.contains("class=\"estimate"), "nothing was counted");
}

/// Columns do not fit on a telephone, so each row becomes a block there and each cell says what it is.
#[test]
fn no_table_is_wider_than_a_telephone() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/html");
    let mut tables = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        // the table for signatures has two columns and is for print alone
        if path.extension().is_none_or(|end| end != "html") || path.ends_with("signoff.html") {
            continue;
        }
        let page = std::fs::read_to_string(&path).expect("a template");
        for table in page.split("<table").skip(1).filter_map(|rest| rest.split_once("</table>")) {
            let cells: Vec<&str> = table.0.split("<td").skip(1).collect();
            let (head, _) = table.0.split_once('>').expect("the tag's end");
            assert!(head.contains("stacked"), "{}: <table{head}>", path.display());
            assert!(
                cells.iter().all(|cell| cell.contains("data-label") || cell.contains("colspan")),
                "{}: {cells:?}",
                path.display()
            );
            tables += 1;
        }
    }
    assert!(tables >= 9, "{tables} tables");
}

#[test]
fn tags_are_closed() {
    let (page, _) = page(&world(), &[exhibit()]);
    let mut open = Vec::new();
    for part in page.split('<').skip(1).filter(|part| !part.starts_with('!')) {
        let tag = part.split('>').next().unwrap_or_default();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match (tag.starts_with('/'), tag.ends_with('/') || ["meta", "img", "input"].contains(&name)) {
            (true, _) => assert_eq!(open.pop(), Some(name), "{tag}"),
            (false, true) => {}
            (false, false) => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&target), "{target}");
    }
}

#[test]
fn all_hold_and_nothing_was_raised() {
    let mut world = World::new(&made_evidence::even(200));
    let clean = world.cell(2, Attack::default(), |place, _| place % 50 != 0);
    world.evidence.cells[clean].outcomes[0] = outcome(true, true);
    world.row("clean", vec![vec![], vec![], vec![clean]]);
    world.require("fusion accuracy ≥ 90%", vec![at_least("fusion accuracy ≥ 90%", 2, vec![clean], 0.9)]);
    let (page, judgement) = page(&world, &[]);
    assert_eq!(judgement.exit_code(), 0, "{:?}", judgement.checks);
    let text = text(&page);
    for words in [
        "The requirement holds.",
        "Exit code 0.",
        "No check was raised.",
        "No check is waived.",
        "This report shows no cases.",
    ] {
        assert!(text.contains(words), "{words}");
    }
    assert!(page.contains("<div class=\"verdict pass\">"));
}

/// Writes the report of real evidence, for tests/html/look.mjs; `MEDCERT_LOOK` is `EVIDENCE SPEC EXHIBITS PAGE`.
#[test]
#[ignore = "writes a page to look at"]
fn a_page_to_look_at() {
    let given = std::env::var("MEDCERT_LOOK").expect("MEDCERT_LOOK='EVIDENCE SPEC EXHIBITS PAGE'");
    let [evidence, spec, exhibits, page] =
        given.split(' ').map(std::path::Path::new).collect::<Vec<_>>().try_into().expect("four paths");
    let plan = medcert::plan::build(medcert::spec::read(spec).expect("a spec"));
    let evidence = medcert::evidence::read(evidence).expect("evidence");
    let judgement = Judgement::of(&plan, &evidence, Err("no baseline was given"), TODAY);
    let result =
        report::ReportInput { plan: &plan, evidence: &evidence, judgement: &judgement, accepted: None };
    let about = About { command: format!("medcert check {}", spec.display()), ..about() };
    let exhibits = medcert::evidence::exhibit::read(exhibits);
    std::fs::write(page, render(result, &exhibits, &about)).expect("written");
}
