//! Addresses of endpoints, and what the plan says of endpoints.

use std::path::Path;

use medcert::spec::{Url, parse};
use medcert::{data, plan, report};
use proptest::prelude::*;

#[test]
fn an_address_is_taken_in_its_plain_form() {
    let taken = [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1", true),
        ("http://127.9.9.9/", "http://127.9.9.9", "127.9.9.9", true),
        ("http://LocalHost:80/a/b-c/", "http://LocalHost:80/a/b-c", "localhost", true),
        ("http://[::1]:80", "http://[::1]:80", "::1", true),
        ("http://Vendor.example:80", "http://Vendor.example:80", "vendor.example", false),
        (
            "http://localhost.vendor.example",
            "http://localhost.vendor.example",
            "localhost.vendor.example",
            false,
        ),
        ("http://127.1", "http://127.1", "127.1", false),
        ("http://0.0.0.0", "http://0.0.0.0", "0.0.0.0", false),
        ("http://2130706433", "http://2130706433", "2130706433", false),
        ("http://[::ffff:127.0.0.1]", "http://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", false),
    ];
    for (written, text, host, is_local) in taken {
        let url = Url::read(written).unwrap_or_else(|why| panic!("{written}: {why:?}"));
        assert_eq!(
            (url.text.as_str(), url.host.as_str(), url.is_local()),
            (text, host, is_local),
            "{written}"
        );
    }
    for broken in [
        "",
        "http://",
        "http://:80",
        "http://a b",
        "http://a:",
        "http://a:+8",
        "http://ü.example",
        "http://[::1]x",
        "http://a\\b",
    ] {
        assert!(Url::read(broken).is_err(), "{broken}");
    }
}

#[test]
fn a_plan_says_where_an_endpoint_is_and_what_it_costs() {
    let told = |url: &str, keys: &str| {
        let text = format!(
            "claim: It keeps reading
data:  {{phantom: {{studies: 40, seed: 7, views: frontal}}}}
split: {{test: 50%, seed: 1}}
models:
  vendor: {{endpoint: {{url: \"{url}\", model: cxr, version: 3, reads: image, image: 32, outputs: logit{keys}}}}}
threats: {{few: {{square: {{queries: 100, epsilon: 0.1}}}}}}
table: [clean, few]
require: [vendor accuracy ≥ 50% at few]
"
        );
        let plan = plan::build(parse(Path::new("a.yaml"), &text).unwrap_or_else(|why| panic!("{why}")));
        let dataset = data::load(&plan.spec, None).expect("data");
        let partition = data::split(&dataset.studies, &plan.spec.split).expect("parts");
        let text = report::plan::render(&plan, Some((&dataset, &partition)));
        let lines = text.lines().filter(|line| line.starts_with("vendor ") || line.starts_with("vendor:"));
        lines.collect::<Vec<&str>>().join("\n")
    };
    insta::assert_snapshot!(
        [
            told("http://127.0.0.1:8000", ""),
            told("http://vendor.example/hub", ", price: 0.01, queries: 1000"),
            told("http://localhost", ", price: 0.5, queries: 1000000"),
        ]
        .join("\n\n")
    );
}

proptest! {
    #[test]
    fn no_address_panics_and_none_hides_its_host(text in "(http://)?[a-zA-Z0-9:/@.?#%\\[\\]\\\\ é-]{0,24}") {
        if let Ok(url) = Url::read(&text) {
            let rest = url.text.strip_prefix("http://").expect("a scheme").to_lowercase();
            let rest = rest.strip_prefix('[').unwrap_or(&rest);
            let after = rest.strip_prefix(url.host.as_str()).expect("the host comes first");
            prop_assert!(after.is_empty() || after.starts_with([':', '/', ']']), "{text}");
        }
    }
}
