//! Hostile and broken weights files: each gets its error, and never a crash.

use std::path::{Path, PathBuf};

use medcert::Error;
use medcert::lab::model::densenet::DenseNet;
use medcert::lab::model::params::{Declarations, Declared, Init, Params, digest};
use medcert::lab::model::residual::Residual;
use medcert::lab::model::vision::{Trunk, Vision};
use medcert::lab::model::{Answers, Architecture};
use medcert::lab::tensor;
use medcert::lab::weights::WeightsFile;
use medcert::lab::weights_form;
use medcert::spec::VisionNetwork;
use medcert::text::{Scheme, Vocabulary};
use safetensors::tensor::{Dtype, TensorView, serialize};

fn declared() -> Vec<Declared> {
    let mut d = Declarations::default();
    d.within("block", |d| d.linear("fc1", 2, 3, 0.1));
    d.weight("scale", &[5], Init::Constant(1.0));
    d.list
}

fn vocabulary() -> Vocabulary {
    let entries = vec!["[PAD]".to_string(), "lung".to_string()];
    let scheme = Scheme::WordPiece { strip_accents: Some(true), split_chinese: false };
    Vocabulary { entries, lowercase: false, scheme }
}

fn sound(folder: &Path) -> PathBuf {
    let path = folder.join("sound.safetensors");
    let params = Params::random(&declared(), 1).expect("parameters");
    weights_form::write(&path, &params, Some(&vocabulary())).expect("written");
    path
}

/// The error for a file of these bytes, with the folder's name taken out.
fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    std::fs::write(&path, bytes).expect("written");
    let error = WeightsFile::read(&path).and_then(|file| file.load(&declared())).expect_err("a refusal");
    assert!(matches!(error, Error::Input(_)), "{error:?}");
    assert_eq!(error.exit_code(), 4);
    error.to_string().replace(&folder.path().display().to_string(), "")
}

/// A file with these tensors.
fn file(tensors: &[(&str, Dtype, &[usize], Vec<u8>)]) -> Vec<u8> {
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        (*name, TensorView::new(*dtype, shape.to_vec(), data).expect("a view"))
    });
    serialize(views, None).expect("a file")
}

fn zeros(count: usize) -> Vec<u8> {
    vec![0; count * 4]
}

fn with_scale(dtype: Dtype, shape: &[usize], data: Vec<u8>) -> Vec<u8> {
    file(&[
        ("block.fc1.weight", Dtype::F32, &[2, 3], zeros(6)),
        ("block.fc1.bias", Dtype::F32, &[2], zeros(2)),
        ("scale", dtype, shape, data),
    ])
}

#[test]
fn what_was_written_is_read_back_to_the_bit() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = WeightsFile::read(&sound(folder.path())).expect("a sound file");
    assert_eq!(file.vocabulary(), Some(vocabulary()));
    let params = file.load(&declared()).expect("parameters");
    let original = Params::random(&declared(), 1).expect("parameters");
    assert_eq!(digest(&params).expect("digest"), digest(&original).expect("digest"));
    assert_ne!(
        digest(&params).expect("digest"),
        digest(&Params::random(&declared(), 2).expect("parameters")).expect("digest")
    );
}

#[test]
fn a_missing_file_says_so() {
    let error = WeightsFile::read(Path::new("no/such/file.safetensors")).expect_err("a refusal");
    assert_eq!(error.exit_code(), 4);
    insta::assert_snapshot!(error, @"cannot read no/such/file.safetensors: No such file or directory (os error 2); name an existing safetensors file");
}

#[test]
fn a_folder_is_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(WeightsFile::read(folder.path()).expect_err("a refusal").exit_code(), 4);
}

#[test]
fn an_empty_file_is_refused() {
    insta::assert_snapshot!(refusal(b""));
}

#[test]
fn every_truncation_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = std::fs::read(sound(folder.path())).expect("bytes");
    for length in 0..bytes.len() {
        assert!(refusal(&bytes[..length]).contains("no sound safetensors file"), "cut to {length}");
    }
}

#[test]
fn a_header_of_two_to_the_63_bytes_is_refused() {
    let mut bytes = (1_u64 << 63).to_le_bytes().to_vec();
    bytes.extend_from_slice(b"{}");
    insta::assert_snapshot!(refusal(&bytes));
}

#[test]
fn overlapping_tensors_are_refused() {
    let header = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(&[0; 12]);
    insta::assert_snapshot!(refusal(&bytes));
}

#[test]
fn one_value_for_five_is_refused() {
    insta::assert_snapshot!(refusal(&with_scale(Dtype::F32, &[1], zeros(1))));
}

#[test]
fn another_dtype_is_refused() {
    insta::assert_snapshot!(refusal(&with_scale(Dtype::F64, &[5], vec![0; 40])));
}

#[test]
fn a_nan_is_refused() {
    let mut data = zeros(4);
    data.extend_from_slice(&f32::NAN.to_le_bytes());
    insta::assert_snapshot!(refusal(&with_scale(Dtype::F32, &[5], data)));
}

#[test]
fn extra_and_missing_tensors_are_named_with_the_nearest() {
    let bytes = file(&[
        ("block.fc_1.weight", Dtype::F32, &[2, 3], zeros(6)),
        ("block.fc1.bias", Dtype::F32, &[2], zeros(2)),
        ("scale", Dtype::F32, &[5], zeros(5)),
    ]);
    insta::assert_snapshot!(refusal(&bytes));
}

#[test]
fn a_pickle_is_refused_with_a_way_to_convert_it() {
    insta::assert_snapshot!(refusal(b"PK\x03\x04 archive/data.pkl"));
}

#[test]
fn halves_are_widened_exactly_and_a_nan_among_them_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("halves.safetensors");
    let read = |dtype, halves: [u16; 5]| {
        let bytes = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        std::fs::write(&path, with_scale(dtype, &[5], bytes)).expect("written");
        let params = WeightsFile::read(&path).and_then(|file| file.load(&declared()))?;
        tensor::values(params.get("scale")?)
    };
    // 1, −2, the largest, the least above 0, 0 (IEEE 754 binary16; the upper half of binary32)
    let f16 = read(Dtype::F16, [0x3c00, 0xc000, 0x7bff, 0x0001, 0]).expect("values");
    assert_eq!(f16, [1.0, -2.0, 65504.0, 2.0_f32.powi(-24), 0.0]);
    let bf16 = read(Dtype::BF16, [0x3f80, 0xc000, 0x7f7f, 0x0001, 0]).expect("values");
    assert_eq!(bf16, [1.0, -2.0, f32::from_bits(0x7f7f_0000), f32::from_bits(0x0001_0000), 0.0]);
    assert!(read(Dtype::F16, [0x7e00, 0, 0, 0, 0]).expect_err("a NaN").to_string().contains("NaN"));
    assert!(
        read(Dtype::BF16, [0x7f80, 0, 0, 0, 0]).expect_err("an infinity").to_string().contains("infinity")
    );
}

#[test]
fn a_trunk_is_taken_from_a_checkpoint_with_another_head() {
    let network = Residual { width: 4, ..Residual::SMALL };
    let mut trunk = Declarations::default();
    network.declare(&mut trunk);
    let mut published = Declarations::default();
    network.declare(&mut published);
    published.linear("last_linear", 1000, 32, 0.01);
    published.weight("layer0.bn1.num_batches_tracked", &[1], Init::Constant(3.0));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("timm.safetensors");
    let params = Params::random(&published.list, 5).expect("parameters");
    weights_form::write(&path, &params, None).expect("written");
    let file = WeightsFile::read(&path).expect("a sound file");
    let values = file.trunk(network.into()).expect("a trunk");
    assert_eq!(values.len(), trunk.list.len());
    for (name, _, values) in &values {
        assert_eq!(values, &tensor::values(params.get(name).expect(name)).expect("values"), "{name}");
    }
    // another architecture's file is refused, with what is missing
    let deeper = Residual { layers: [3, 2, 2, 2], ..network };
    let refused = file.trunk(deeper.into()).expect_err("a refusal");
    assert!(refused.to_string().contains("layer1.2.conv1.weight is missing"), "{refused}");
    // and so is a whole model with that head
    let vision = Vision { trunk: network.into(), views: 1, answers: Answers::TWO };
    let whole = Architecture::Vision(vision).declare();
    assert!(
        file.load(&whole)
            .expect_err("a refusal")
            .to_string()
            .contains("last_linear.weight has shape [1000, 32]")
    );
}

#[test]
fn a_transformer_for_images_of_another_side_says_which() {
    let of = |side| {
        let trunk = Trunk::of(VisionNetwork::VitTiny, 16, side);
        Architecture::Vision(Vision { trunk, views: 1, answers: Answers::TWO }).declare()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vit.safetensors");
    let params = Params::random(&of(64), 5).expect("parameters");
    weights_form::write(&path, &params, None).expect("written");
    let file = WeightsFile::read(&path).expect("a sound file");
    file.load(&of(64)).expect("its own side");
    let why = file.load(&of(32)).map(drop).expect_err("another side").to_string();
    assert!(why.contains("pos_embed has shape [1, 17, 16], needs [1, 5, 16]"), "{why}");
    assert!(why.contains("it is for images of 64 pixels, so write `image: 64`"), "{why}");
}

#[test]
fn a_densenet_is_read_under_the_names_of_old_checkpoints_too() {
    let network = DenseNet { growth: 4, ..DenseNet::XRV_DENSENET121 };
    let vision = Vision { trunk: network.into(), views: 1, answers: Answers::TWO };
    let declared = Architecture::Vision(vision).declare();
    let params = Params::random(&declared, 5).expect("parameters");
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, more: &[&str]| {
        let old = |name: &str| {
            let of_layer = name.contains("denselayer");
            let dotted = |name: String, part: &str| name.replace(&format!(".{part}"), &format!(".{part}."));
            if of_layer { dotted(dotted(name.to_string(), "norm"), "conv") } else { name.to_string() }
        };
        let mut saved = Declarations::default();
        for parameter in &declared {
            saved.weight(&old(&parameter.name), &parameter.shape, parameter.init);
        }
        for name in more {
            saved.weight(name, &[18], Init::Constant(0.5));
        }
        let values = |d: &Declared| match declared.iter().find(|one| old(&one.name) == d.name) {
            Some(one) => tensor::values(params.get(&one.name)?),
            None => Ok(vec![0.5; 18]),
        };
        let path = folder.path().join(name);
        weights_form::write(&path, &Params::make(&saved.list, values).expect("parameters"), None)
            .expect("written");
        WeightsFile::read(&path).expect("a sound file")
    };
    let file = write("old.safetensors", &[]);
    assert!(file.holds(|name| name == "features.denseblock1.denselayer1.norm.1.weight").expect("names"));
    let loaded = file.load(&declared).expect("the network");
    assert_eq!(digest(&loaded).expect("a digest"), digest(&params).expect("a digest"));
    // torchxrayvision's operating points are left out
    let points = write("points.safetensors", &["op_threshs"]);
    assert_eq!(points.trunk(network.into()).expect("a trunk").len(), declared.len() - 2);
    assert_eq!(
        digest(&points.load(&declared).expect("the network")).expect("a digest"),
        digest(&params).expect("a digest")
    );
    let why = write("more.safetensors", &["thresholds"]).load(&declared).expect_err("a refusal").to_string();
    assert!(why.contains("thresholds is not part of the architecture"), "{why}");
}
