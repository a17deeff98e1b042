//! Weights that a spec is begun with: they are recognised and pinned, and the spec fits what they read.

use std::path::Path;

use super::{at, begin, bert, manifest, shown, tensors, write};

#[test]
fn weights_are_recognised_and_pinned() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    bert(&here.join("judge"), true);
    let blocks = |counts: [usize; 4]| {
        let names = counts.iter().enumerate().flat_map(|(stage, count)| {
            (0..*count).map(move |block| format!("layer{}.{block}.conv1.weight", stage + 1))
        });
        names.collect::<Vec<String>>()
    };
    let names = blocks([2, 2, 2, 2]);
    let mut shapes: Vec<(&str, &[usize])> =
        names.iter().map(|name| (name.as_str(), &[16, 1, 1, 1][..])).collect();
    shapes.push(("layer1.0.se_module.fc1.weight", &[1, 16, 1, 1]));
    shapes.push(("layer4.1.conv2.weight", &[128, 1, 1, 1]));
    shapes.push(("last_linear.weight", &[2, 256]));
    tensors(here.join("small.safetensors"), &shapes);
    write(here.join("own.pt"), b"PK\x03\x04 own/code/__torch__.py own/constants.pkl");
    write(here.join("pickle.pt"), b"PK\x03\x04 archive/data.pkl");
    let begun = |flags: &[&str]| {
        let flags: Vec<&str> =
            ["--force", "--data", "phantom"].into_iter().chain(flags.iter().copied()).collect();
        begin(here, &flags, None)
    };
    let path = |name: &str| at(here, name);
    let (_, text, _) =
        begun(&["--weights", &path("judge"), "--weights", &path("small.safetensors")]).expect("a spec");
    insta::assert_snapshot!("weights", shown(&text));
    let last = [(1, 6), (2, 12), (3, 24), (4, 16)]
        .map(|(block, last)| format!("features.denseblock{block}.denselayer{last}.conv.2.weight"));
    for (channels, growth, written) in [
        (3, 32, "    densenet121:\n      image: 224"),
        (1, 32, "    xrv_densenet121:\n      image: 224"),
        (1, 8, "    xrv_densenet121:\n      image: 56\n      width: 8"),
    ] {
        let (stem, layer) = ([64, channels, 7, 7], [growth, 128, 3, 3]);
        let mut shapes: Vec<(&str, &[usize])> = last.iter().map(|name| (name.as_str(), &layer[..])).collect();
        shapes.push(("features.denseblock1.denselayer1.conv.2.weight", &layer));
        shapes.push(("features.conv0.weight", &stem));
        tensors(here.join("dense.safetensors"), &shapes);
        let (_, text, _) = begun(&["--weights", &path("dense.safetensors")]).expect("a spec");
        assert!(text.contains(written), "{text}");
    }
    for (width, positions, written) in [
        (384, 197, "write deit_small instead\n  vision:\n    vit_small:\n      image: 224\n      start"),
        (64, 50, "vit_tiny:\n      image: 112\n      width: 64"),
    ] {
        let (tokens, patches) = ([1, positions, width], [width, 3, 16, 16]);
        let shapes: [(&str, &[usize]); 4] = [
            ("cls_token", &[1, 1, width]),
            ("pos_embed", &tokens),
            ("patch_embed.proj.weight", &patches),
            ("blocks.11.norm1.weight", &[width]),
        ];
        tensors(here.join("vit.safetensors"), &shapes);
        let (_, text, _) = begun(&["--weights", &path("vit.safetensors")]).expect("a spec");
        assert!(text.contains(written), "{text}");
    }
    let own = path("own.pt");
    let why = begun(&["--weights", &own]).expect_err("refused").to_string();
    assert!(why.contains("say --trusted if you trust it"), "{why}");
    let (_, text, _) = begun(&["--weights", &own, "--trusted", "--models", "vision"]).expect("a spec");
    insta::assert_snapshot!("script", shown(&text));
    let why = begun(&["--weights", &own, "--trusted"]).expect_err("refused").to_string();
    assert!(why.contains("with which vocabulary"), "{why}");
    begun(&["--weights", &own, "--weights", &path("judge"), "--trusted"]).expect("a spec");
    let why = begun(&["--weights", &path("pickle.pt")]).expect_err("refused");
    assert!(why.to_string().contains("a pickle file can run code") && why.exit_code() == 4, "{why}");
}

#[test]
fn the_views_of_the_data_are_those_that_a_loaded_model_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/graphs");
    let dense = |name: &str, reads: usize| {
        let layer =
            |block: usize, last: usize| format!("features.denseblock{block}.denselayer{last}.conv2.weight");
        let last = [layer(1, 1), layer(1, 6), layer(2, 12), layer(3, 24), layer(4, 16)];
        let (stem, head) = ([64, 3, 7, 7], [2, reads]);
        let mut shapes: Vec<(&str, &[usize])> =
            last.iter().map(|name| (name.as_str(), &[32, 128, 3, 3][..])).collect();
        shapes.push(("features.conv0.weight", &stem));
        shapes.push(("features.norm5.weight", &[1024]));
        shapes.push(("classifier.weight", &head));
        tensors(here.join(name), &shapes);
        at(here, name)
    };
    let (one, two) = (dense("one.safetensors", 1024), dense("two.safetensors", 2048));
    let own = |name: &str| golden.join(name).display().to_string();
    for (weights, views) in
        [(one, "frontal"), (two, "both"), (own("image.pt2"), "frontal"), (own("views.pt2"), "both")]
    {
        let flags = ["--force", "--data", "phantom", "--weights", &weights, "--models", "vision"];
        let (_, text, told) = begin(here, &flags, None).expect("a spec");
        assert!(text.contains(&format!("views: {views}")), "{weights}: {text}");
        assert_eq!(told.contains("the frontal images are taken"), views == "frontal", "{told}");
    }
    // a table of frontal images alone
    for row in 0..60 {
        write(here.join(format!("{row}.png")), "");
    }
    let file =
        manifest(here, "case,patient,frontal,label", |row| format!("s{row},p{row},{row}.png,{}", row % 2));
    let flags =
        ["--force", "--data", &file, "--positive", "1", "--test", "all", "--weights", &own("views.pt2")];
    let why = begin(here, &flags, None).expect_err("refused").to_string();
    assert!(
        why.contains("reads 2 views of a study, and the data give 1 view; name the second column"),
        "{why}"
    );
}

#[test]
fn a_report_has_no_more_tokens_than_its_tokenizer_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = folder.path().join("words");
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/graphs/text.pt2");
    for (says, written) in [
        (r#"{"model_max_length": 64}"#, "max_tokens: 64\n"),
        (r#"{"model_max_length": 1000000000000000019884624838656}"#, "max_tokens: 256\n"),
        ("{}", "max_tokens: 256\n"),
    ] {
        write(words.join("vocab.txt"), "[PAD]");
        write(words.join("tokenizer_config.json"), says);
        let (text, words) = (text.display().to_string(), words.display().to_string());
        let flags = ["--force", "--data", "phantom", "--weights", &text, "--weights", &words];
        let (_, text, _) = begin(folder.path(), &flags, None).expect("a spec");
        assert!(text.contains(written), "{says}: {text}");
    }
}

#[test]
fn a_network_that_is_not_built_in_is_to_be_exported() {
    let folder = tempfile::tempdir().expect("a folder");
    tensors(folder.path().join("unknown.safetensors"), &[("stages.0.conv.weight", &[8, 3, 3, 3])]);
    let flags = ["--data", "phantom", "--weights", &at(folder.path(), "unknown.safetensors")];
    let why = begin(folder.path(), &flags, None).expect_err("refused").to_string();
    assert!(why.contains("export the model with torch.export"), "{why}");
}
