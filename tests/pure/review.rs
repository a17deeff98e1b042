//! A clinician's review: nothing that the reader gets tells the original, and the answers come back.

use crate::made_evidence::{World, at_least, deletion, even};
use medcert::evidence::{Answered, Exhibit, Pictures, Wording};
use medcert::plan::Attack;
use medcert::review::{Key, blank, draw, page, take};

/// A model that an attack on words breaks on every third case.
fn world() -> World {
    let mut world = World::new(&even(60));
    world.cell(1, Attack::default(), |_, _| true);
    let broken = world.cell(1, deletion(), |place, _| place % 3 != 0);
    world.require(
        "language accuracy ≥ 90% under 50% deletion",
        vec![at_least("accuracy", 1, vec![broken], 0.9)],
    );
    world
}

fn exhibits(key: &Key) -> Vec<Exhibit> {
    let answered = Answered { predicted: Some(true.into()), margin: Some(1.0) };
    let exhibit = |(place, pair): (usize, &medcert::review::Pair)| Exhibit {
        model: pair.model.clone(),
        attack: pair.attack.clone(),
        case: pair.case.clone(),
        label: true.into(),
        before: answered,
        after: answered,
        image: Some(Pictures {
            side: 2,
            before: format!("iVBORw0KGgo{place}a"),
            after: format!("iVBORw0KGgo{place}b"),
            difference: String::new(),
            change: 0.1,
        }),
        text: Some(Wording { before: format!("words {place}"), after: format!("other {place}") }),
    };
    key.pairs.iter().enumerate().map(exhibit).collect()
}

/// The page and the sheet are functions of what A and B show: with every pair turned round, key and content, they are the same.
#[test]
fn nothing_that_the_reader_gets_tells_the_original() {
    let world = world();
    let (key, drawn) = draw(&world.plan, &world.evidence, 12, "secret");
    assert_eq!((key.pairs.len(), drawn.len()), (12, 12));
    let first = key.pairs.iter().filter(|pair| pair.original_is_a).count();
    assert!((1..12).contains(&first), "the original is always on one side");
    let shown = exhibits(&key);
    let (mut turned, mut swapped) = (key.clone(), shown.clone());
    for pair in &mut turned.pairs {
        pair.original_is_a = !pair.original_is_a;
    }
    for exhibit in &mut swapped {
        let image = exhibit.image.as_mut().expect("an image");
        std::mem::swap(&mut image.before, &mut image.after);
        let text = exhibit.text.as_mut().expect("a report");
        std::mem::swap(&mut text.before, &mut text.after);
    }
    let seen = page(&key, &shown);
    assert_eq!(seen, page(&turned, &swapped));
    assert_eq!(blank(&key), blank(&turned));
    for word in ["language", "deletion", "src=\"http", "<script", "before", "after"] {
        assert!(!seen.contains(word), "{word}");
    }
    for pair in &key.pairs {
        assert!(!seen.contains(&format!(">{}<", pair.case)), "{}", pair.case);
    }
    let (other, _) = draw(&world.plan, &world.evidence, 12, "another");
    assert!(other.review != key.review && other.pairs != key.pairs, "the secret decides both");
}

/// A sheet as a reader fills it in: the original is named each second time, every fourth pair shows another diagnosis.
fn filled(key: &Key) -> String {
    let mut lines = vec![blank(key).lines().next().expect("a header").to_string()];
    for (place, pair) in key.pairs.iter().enumerate() {
        let named = if pair.original_is_a == (place % 2 == 0) { "A" } else { "b" };
        let same = if place % 4 == 3 { "no" } else { "Yes" };
        lines.push(format!("{},{},{named},{same},yes,R.R.", key.review, place + 1));
    }
    lines.join("\r\n")
}

#[test]
fn a_filled_sheet_comes_back() {
    let world = world();
    let (key, _) = draw(&world.plan, &world.evidence, 12, "secret");
    let review = take(&key, &filled(&key)).expect("taken");
    insta::assert_snapshot!(review.lines(&world.evidence).join("\n"));
    let written = serde_json::to_vec(&review).expect("JSON");
    assert_eq!(medcert::review::read(&written), Ok(review.clone()));
    assert_eq!(
        take(&key, &filled(&key).replace(',', ";")),
        Ok(review),
        "a spreadsheet that separates by semicolons"
    );
}

#[test]
fn every_fault_of_a_sheet_is_named_with_its_line() {
    let world = world();
    let (key, _) = draw(&world.plan, &world.evidence, 3, "secret");
    let id = key.review.clone();
    let sheet = format!(
        "{}\n{id},1,C,yes,yes,RR\n{id},2,A,perhaps,yes,RR\n{id},9,A,yes,yes,RR\nother,1,A,yes,yes,RR\n{id},3,A,yes,yes,\n{id},x,,,,\n",
        blank(&key).lines().next().expect("a header")
    );
    insta::assert_snapshot!(take(&key, &sheet).expect_err("faults").join("\n").replace(&id, "ID"));
    assert!(take(&key, &blank(&key)).is_err(), "nothing is filled in");
    assert!(take(&key, "a,b\n1,2\n").is_err());
    let twice = format!("{}\r\n{}", filled(&key), filled(&key).lines().nth(1).expect("a row"));
    assert!(take(&key, &twice).expect_err("twice")[0].contains("two rows"));
}
