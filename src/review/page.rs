//! The page of a review: each pair as A and B, without a sign of which is the original. It is one file without
//! scripts or external resources.

use askama::Template;

use super::Key;
use crate::evidence::Exhibit;
use crate::sanitize::shown;

#[derive(Template)]
#[template(path = "review_page.html")]
struct Page<'a> {
    review: &'a str,
    pairs: Vec<Shown<'a>>,
}

/// A pair as the page shows it; a side without a picture or a report has an empty text there.
struct Shown<'a> {
    number: usize,
    /// A and B.
    sides: [Side<'a>; 2],
}

struct Side<'a> {
    name: &'static str,
    /// A PNG file in base64.
    picture: &'a str,
    pixels: u32,
    report: &'a str,
}

/// Renders the page. The exhibits belong to the key's pairs, in the same order.
pub fn page(key: &Key, exhibits: &[Exhibit]) -> String {
    let pairs = key.pairs.iter().zip(exhibits).enumerate().map(|(place, (pair, exhibit))| {
        let pixels = exhibit.image.as_ref().map_or(0, |image| image.side);
        let picture = |before: bool| {
            exhibit
                .image
                .as_ref()
                .map_or("", |image| if before { image.before.as_str() } else { &image.after })
        };
        let report = |before: bool| {
            exhibit.text.as_ref().map_or("", |text| if before { text.before.as_str() } else { &text.after })
        };
        let side = |name, before| Side { name, picture: picture(before), pixels, report: report(before) };
        Shown { number: place + 1, sides: [side("A", pair.original_is_a), side("B", !pair.original_is_a)] }
    });
    let page = Page { review: &key.review, pairs: pairs.collect() };
    // rendering into memory does not fail
    shown(&page.render().unwrap_or_default())
}
