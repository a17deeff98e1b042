//! Weights that a spec is begun with: they are recognised and pinned, and the spec fits what they read.

use std::path::Path;

use super::{at, begin, bert, indiana, manifest, shown, tensors, write};
use crate::lab::model::vision::{Trunk, Vision};
use crate::lab::model::{Answers, Architecture};
use crate::spec::VisionNetwork;

/// The names and shapes of a classifier of two classes.
fn declared(
    network: VisionNetwork,
    (width, side, views): (usize, usize, usize),
) -> Vec<(String, Vec<usize>)> {
    let vision = Vision { trunk: Trunk::of(network, width, side), views, answers: Answers::TWO };
    let declared = Architecture::Vision(vision).declare();
    declared.into_iter().map(|one| (one.name, one.shape)).collect()
}

/// A file of zeros with these names and shapes.
fn keep(folder: &Path, name: &str, tensors_of: &[(String, Vec<usize>)]) -> String {
    let shapes: Vec<(&str, &[usize])> =
        tensors_of.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
    tensors(folder.join(name), &shapes);
    at(folder, name)
}

#[test]
fn weights_are_recognised_and_pinned() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    bert(&here.join("judge"), true);
    let small = keep(here, "small.safetensors", &declared(VisionNetwork::SeResnet18, (16, 56, 2)));
    write(here.join("own.pt"), b"PK\x03\x04 own/code/__torch__.py own/constants.pkl");
    write(here.join("pickle.pt"), b"PK\x03\x04 archive/data.pkl");
    let begun = |flags: &[&str]| {
        let flags: Vec<&str> =
            ["--force", "--data", "phantom"].into_iter().chain(flags.iter().copied()).collect();
        begin(here, &flags, None)
    };
    let path = |name: &str| at(here, name);
    let (_, text, _) = begun(&["--weights", &path("judge"), "--weights", &small]).expect("a spec");
    insta::assert_snapshot!("weights", shown(&text));
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
fn each_network_is_known_by_its_tensors() {
    use VisionNetwork::{Densenet121, Resnet18, VitSmall, VitTiny, XrvDensenet121};
    let folder = tempfile::tempdir().expect("a folder");
    for (network, (width, side), written) in [
        (Resnet18, (64, 224), "    resnet18:\n      image: 224\n      weights"),
        (Densenet121, (32, 224), "    densenet121:\n      image: 224\n      weights"),
        (XrvDensenet121, (8, 224), "    xrv_densenet121:\n      image: 56\n      width: 8"),
        (
            VitSmall,
            (384, 224),
            "write deit_small instead\n  vision:\n    vit_small:\n      image: 224\n      weights",
        ),
        (VitTiny, (64, 112), "vit_tiny:\n      image: 112\n      width: 64"),
    ] {
        let file = keep(folder.path(), "net.safetensors", &declared(network, (width, side, 1)));
        let flags = ["--force", "--data", "phantom", "--weights", &file];
        let (_, text, _) = begin(folder.path(), &flags, None).expect("a spec");
        assert!(text.contains(written), "{text}");
    }
}

#[test]
fn a_network_that_only_looks_like_one_is_to_be_exported() {
    use VisionNetwork::{Resnet18, VitTiny};
    let folder = tempfile::tempdir().expect("a folder");
    let more = |mut all: Vec<(String, Vec<usize>)>, name: &str, shape: &[usize]| {
        all.retain(|(other, _)| other != name);
        all.push((name.to_string(), shape.to_vec()));
        all
    };
    let resnet = || declared(Resnet18, (64, 224, 1));
    for (all, says) in [
        // one gray channel, a gate of another kind, and a norm before the blocks
        (more(resnet(), "conv1.weight", &[64, 1, 7, 7]), "conv1.weight has shape [64, 1, 7, 7]"),
        (more(resnet(), "layer1.0.se.fc1.weight", &[4, 64, 1, 1]), "layer1.0.se.fc1.weight is not part"),
        (more(declared(VitTiny, (64, 112, 1)), "norm_pre.weight", &[64]), "norm_pre.weight is not part"),
    ] {
        let file = keep(folder.path(), "net.safetensors", &all);
        let flags = ["--force", "--data", "phantom", "--weights", &file];
        let why = begin(folder.path(), &flags, None).expect_err("refused").to_string();
        assert!(why.contains(says) && why.contains("export the model with torch.export"), "{why}");
    }
}

#[test]
fn the_views_of_the_data_are_those_that_a_loaded_model_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/graphs");
    let [one, two] = [1, 2].map(|views| {
        let of = declared(VisionNetwork::XrvDensenet121, (8, 56, views));
        keep(here, &format!("{views}.safetensors"), &of)
    });
    let own = |name: &str| golden.join(name).display().to_string();
    for (weights, views) in
        [(&one, "frontal"), (&two, "both"), (&own("image.pt2"), "frontal"), (&own("views.pt2"), "both")]
    {
        let flags = ["--force", "--data", "phantom", "--weights", weights, "--models", "vision"];
        let (_, text, told) = begin(here, &flags, None).expect("a spec");
        assert!(text.contains(&format!("views: {views}")), "{weights}: {text}");
        assert_eq!(told.contains("the frontal images are taken"), views == "frontal", "{told}");
    }
    // a table of frontal images alone, and one of reports
    for row in 0..60 {
        write(here.join(format!("{row}.png")), "");
    }
    let refused = |header: &str, image: &str| {
        let file = manifest(here, header, |row| format!("s{row},p{row},{row}{image},{}", row % 2));
        let weights = own("views.pt2");
        let flags = ["--force", "--data", &file, "--positive", "1", "--test", "all", "--weights", &weights];
        begin(here, &flags, None).expect_err("refused").to_string()
    };
    let why = refused("case,patient,frontal,label", ".png");
    assert!(
        why.contains("reads 2 views of a study, and the data give 1 view; name the second column"),
        "{why}"
    );
    let why = refused("case,patient,report,label", " is clear");
    assert!(why.contains("the data give 0 views; name data with images"), "{why}");
    // most studies of this set have one image
    indiana(here, 120, 120);
    let text = std::fs::read_to_string(here.join("indiana_projections.csv")).expect("a table");
    let kept = text.lines().filter(|line| !line.ends_with("Lateral") || line.len() < 18);
    write(here.join("indiana_projections.csv"), kept.collect::<Vec<_>>().join("\n") + "\n");
    let (data, weights) = (here.display().to_string(), own("views.pt2"));
    let flags = ["--force", "--data", &data, "--weights", &weights, "--test", "30%"];
    let (_, text, told) = begin(here, &flags, None).expect("a spec");
    assert!(text.contains("views: both") && told.contains("10 studies for vision"), "{told}");
}

#[test]
fn weights_that_no_model_would_read_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    bert(&here.join("judge"), true);
    bert(&here.join("other"), true);
    let net = keep(here, "net.safetensors", &declared(VisionNetwork::XrvDensenet121, (8, 56, 1)));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/graphs");
    let [image, text] = ["image.pt2", "text.pt2"].map(|name| golden.join(name).display().to_string());
    let (judge, other) = (at(here, "judge"), at(here, "other"));
    for weights in [[&image, &judge], [&image, &net], [&judge, &other], [&image, &text]] {
        let flags: Vec<&str> = weights
            .iter()
            .flat_map(|path| ["--weights", path.as_str()])
            .chain(["--force", "--data", "phantom"])
            .collect();
        let why = begin(here, &flags, None).expect_err("refused").to_string();
        assert!(why.contains("nothing would read") || why.contains("one module of your own"), "{why}");
    }
    let file =
        manifest(here, "case,patient,report,label", |row| format!("s{row},p{row},it is clear,{}", row % 2));
    let flags = ["--force", "--data", &file, "--positive", "1", "--weights", &net];
    let why = begin(here, &flags, None).expect_err("no images").to_string();
    assert!(why.contains("the spec is for language"), "{why}");
    let flags = ["--force", "--data", "phantom", "--weights", &image, "--models", "fusion"];
    let why = begin(here, &flags, None).expect_err("one image").to_string();
    assert!(why.contains("is a vision model by its inputs"), "{why}");
    let flags = ["--force", "--data", "phantom", "--weights", &net, "--weights", &judge, "--test", "all"];
    let why = begin(here, &flags, None).expect_err("the fusion learns").to_string();
    assert!(why.contains("no case to train fusion on"), "{why}");
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
