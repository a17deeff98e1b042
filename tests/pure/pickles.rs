//! Pickled weights: what a state dictionary may ask for is followed, and everything else is refused by name. Hostile
//! pickles are written here, opcode by opcode; sound files are made by `tests/golden/pickles.py`.
//!
//! ```text
//! cargo test --release --test pure pickles -- --ignored --nocapture --test-threads 1     (a million damaged files)
//! ```

use std::path::Path;
use std::time::Duration;

use medcert::pickle::{self, StateDictionary};
use safetensors::SafeTensors;

use crate::graphs::{entry, without_checksums, zip};
use crate::mutations::{mutated, peak_mebibytes, read_all};

/// An archive with this pickle, and with storages of 16 bytes each: `0` and `1`.
fn archive(pickle: &[u8]) -> Vec<u8> {
    let storage: Vec<u8> = (0..16).collect();
    zip(&[
        entry("m/data.pkl", pickle),
        entry("m/byteorder", b"little"),
        entry("m/data/0", &storage),
        entry("m/data/1", &storage),
    ])
}

fn text(word: &str) -> Vec<u8> {
    [b"X".as_slice(), &(word.len() as u32).to_le_bytes(), word.as_bytes()].concat()
}

fn global(name: &str) -> Vec<u8> {
    [b"c", name.as_bytes(), b"\n"].concat()
}

fn int(number: i32) -> Vec<u8> {
    [b"J".as_slice(), &number.to_le_bytes()].concat()
}

fn tuple(numbers: &[i32]) -> Vec<u8> {
    [b"(".to_vec(), numbers.iter().flat_map(|number| int(*number)).collect(), b"t".to_vec()].concat()
}

/// A storage with so many numbers.
fn storage(class: &str, key: &str, numbers: i32) -> Vec<u8> {
    let about = [text("storage"), global(&format!("torch\n{class}")), text(key), text("cpu"), int(numbers)];
    [b"(".to_vec(), about.concat(), b"tQ".to_vec()].concat()
}

/// A tensor of a storage.
fn tensor(storage: &[u8], offset: i32, sizes: &[i32], strides: &[i32]) -> Vec<u8> {
    let hooks = [global("collections\nOrderedDict"), b")R".to_vec()].concat();
    [
        global("torch._utils\n_rebuild_tensor_v2").as_slice(),
        b"(",
        storage,
        &int(offset),
        &tuple(sizes),
        &tuple(strides),
        b"\x89",
        &hooks,
        b"tR",
    ]
    .concat()
}

/// A dictionary with one value, `w`.
fn dictionary(value: &[u8]) -> Vec<u8> {
    [b"\x80\x02}".as_slice(), &text("w"), value, b"s."].concat()
}

fn read(pickle: &[u8]) -> Result<StateDictionary, String> {
    pickle::read(&archive(pickle), None)
}

fn sound() -> Vec<u8> {
    dictionary(&tensor(&storage("FloatStorage", "0", 4), 0, &[2, 2], &[2, 1]))
}

#[test]
fn views_are_read_row_by_row() {
    let bytes = archive(&sound());
    let weights = pickle::read(&bytes, None).expect("weights");
    assert_eq!(weights.tensors["w"].bytes(&bytes), (0..16).collect::<Vec<u8>>());
    let bytes = archive(&dictionary(&tensor(&storage("ShortStorage", "1", 8), 1, &[2, 3], &[1, 2])));
    let weights = pickle::read(&bytes, None).expect("weights");
    assert_eq!(weights.tensors["w"].sizes, [2, 3]);
    assert_eq!(weights.tensors["w"].bytes(&bytes), [2, 3, 6, 7, 10, 11, 4, 5, 8, 9, 12, 13]);
}

/// Pickles that are refused, with what each is.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let floats = storage("FloatStorage", "0", 4);
    let of = |offset, sizes: &[i32], strides: &[i32]| dictionary(&tensor(&floats, offset, sizes, strides));
    let evil = |name: &str| {
        let call = [global(name), b"(".to_vec(), text("echo executed"), b"tR".to_vec()].concat();
        dictionary(&call)
    };
    let deep = [b"\x80\x02)".as_slice(), &b"\x85".repeat(1_000_000), b"."].concat();
    // a dictionary that holds itself
    let cyclic = [b"\x80\x02}q\x00".as_slice(), &text("w"), b"h\x00s."].concat();
    let long = [b"\x80\x02".as_slice(), b"\x8a\x09", &[1; 9], b"."].concat();
    vec![
        ("os.system", evil("posix\nsystem")),
        ("eval", evil("builtins\neval")),
        ("torch.load", evil("torch\nload")),
        ("a class of torch.nn", evil("torch.nn.modules.linear\nLinear")),
        ("a storage as a function", evil("torch\nFloatStorage")),
        ("a global that is not called", dictionary(&global("os\nsystem"))),
        ("INST", b"\x80\x02(ios\nsystem\n.".to_vec()),
        ("OBJ", b"\x80\x02(o.".to_vec()),
        ("NEWOBJ", [b"\x80\x02".as_slice(), &global("collections\nOrderedDict"), b")\x81."].concat()),
        ("EXT1", b"\x80\x02\x82\x01.".to_vec()),
        ("STACK_GLOBAL", b"\x80\x02\x93.".to_vec()),
        ("protocol 4", b"\x80\x04.".to_vec()),
        ("nothing", vec![]),
        ("cut off", sound()[..40].to_vec()),
        ("an empty stack", b"\x80\x02.".to_vec()),
        ("a text of 4 GiB", b"\x80\x02X\xff\xff\xff\xff.".to_vec()),
        ("no text", b"\x80\x02X\x01\x00\x00\x00\xff.".to_vec()),
        ("a tuple below a mark", b"\x80\x02N(\x85.".to_vec()),
        ("a pop below a mark", b"\x80\x02N(R.".to_vec()),
        ("no mark", b"\x80\x02t.".to_vec()),
        ("a value that was never made", b"\x80\x02h\x07.".to_vec()),
        ("a key without a value", [b"\x80\x02}(".as_slice(), &text("w"), b"u."].concat()),
        ("an entry of a number", b"\x80\x02K\x01K\x02K\x03s.".to_vec()),
        ("an item of a number", b"\x80\x02K\x01K\x02a.".to_vec()),
        ("attributes of a number", b"\x80\x02K\x01}b.".to_vec()),
        ("a long number", long),
        ("a dictionary in itself", cyclic),
        ("a million tuples in each other", deep),
        (
            "a call without arguments",
            dictionary(&[global("collections\nOrderedDict"), b"NR".to_vec()].concat()),
        ),
        ("a call of a text", dictionary(&[text("a"), b")R".to_vec()].concat())),
        ("a storage of another class", dictionary(&storage("UntypedStorage", "0", 4))),
        ("a storage that is not there", dictionary(&storage("FloatStorage", "2", 4))),
        ("a storage above the folder", dictionary(&storage("FloatStorage", "../data.pkl", 4))),
        ("a storage of other bytes", dictionary(&storage("FloatStorage", "0", 5))),
        ("a storage of fewer than no bytes", dictionary(&storage("FloatStorage", "0", -1))),
        ("a storage that is a text", dictionary(&[text("storage"), b"Q".to_vec()].concat())),
        ("a negative offset", of(-1, &[2], &[1])),
        ("a negative stride", of(3, &[4], &[-1])),
        ("a negative size", of(0, &[-2], &[1])),
        ("beyond its storage", of(1, &[2, 2], &[2, 1])),
        ("a stride beyond its storage", of(0, &[2, 2], &[i32::MAX, 1])),
        ("a huge shape", of(0, &[i32::MAX; 4], &[1; 4])),
        ("a huge shape of one number", of(0, &[i32::MAX, 2], &[0, 0])),
        ("a stride too few", of(0, &[2, 2], &[1])),
        ("65 dimensions", of(0, &[1; 65], &[1; 65])),
        ("no dictionary", b"\x80\x02K\x01.".to_vec()),
        ("no tensor", dictionary(b"K\x01")),
    ]
}

#[test]
fn hostile_pickles_are_refused_by_name() {
    let told = hostile().into_iter().map(|(name, pickle)| {
        let why = read(&pickle).expect_err(name);
        let why = why.replace(medcert::graph::pt2::EXPORT, "EXPORT");
        format!("{name}: it {why}")
    });
    insta::assert_snapshot!(told.collect::<Vec<String>>().join("\n"));
}

#[test]
fn other_archives_are_refused_by_name() {
    let little = |name: &str, bytes: &[u8]| {
        let pickle = sound();
        zip(&[entry("m/data.pkl", &pickle), entry("m/data/0", &[0; 16]), entry(name, bytes)])
    };
    let archives = [
        ("no archive", b"\x80\x02}.".to_vec()),
        ("no pickle", zip(&[entry("m/data/0", &[0; 16])])),
        ("torch.export", little("m/models/model.json", b"{}")),
        ("TorchScript", little("m/code/__torch__.py", b"")),
        ("big-endian", little("m/byteorder", b"big")),
    ];
    let told = archives.map(|(name, bytes)| {
        let why = pickle::read(&bytes, None).expect_err(name);
        format!("{name}: it {}", why.replace(medcert::graph::pt2::EXPORT, "EXPORT"))
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_weights_of_a_checkpoint_are_chosen_and_the_choice_is_said() {
    let weights = || tensor(&storage("FloatStorage", "0", 4), 0, &[4], &[1]);
    let inside = |keys: &[&str]| {
        let mut pickle = b"\x80\x02}".to_vec();
        for key in keys {
            pickle.extend([text(key), b"}".to_vec(), text("w"), weights(), b"ss".to_vec()].concat());
        }
        pickle.extend([text("epoch"), b"K\x01s.".to_vec()].concat());
        archive(&pickle)
    };
    let told = [
        (vec!["state_dict"], None),
        (vec!["generator"], None),
        (vec!["ema", "model"], None),
        (vec!["ema", "model"], Some("ema")),
        (vec!["ema", "model"], Some("net")),
        (vec!["generator", "discriminator"], None),
        (vec!["generator", "discriminator"], Some("generator")),
        (vec![""], None),
    ]
    .map(|(keys, key)| match pickle::read(&inside(&keys), key) {
        Ok(weights) => format!("{keys:?} {key:?}: {}", weights.remarks.join("; ")),
        Err(why) => format!("{keys:?} {key:?}: it {}", why.replace(medcert::graph::pt2::EXPORT, "EXPORT")),
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    for (name, bytes) in golden(false) {
        for end in (0..bytes.len()).rev().step_by(5) {
            let why = pickle::read(&bytes[..end], None).expect_err(&name);
            assert!(
                why.contains("cut off") && why.contains("torch.save"),
                "{name} cut after {end} bytes {why}"
            );
        }
    }
}

/// A record of the archive that is not needed may lack bytes; all others may not.
#[test]
fn a_file_that_lacks_bytes_in_its_midst_is_refused_or_has_the_same_tensors() {
    let mut refused = 0;
    for (name, bytes) in golden(false) {
        let whole = pickle::read(&bytes, None).expect("weights");
        for start in (0..bytes.len()).step_by(7) {
            for length in [1, 64] {
                let end = (start + length).min(bytes.len());
                let cut = [&bytes[..start], &bytes[end..]].concat();
                match pickle::read(&cut, None) {
                    Err(_) => refused += 1,
                    Ok(weights) => {
                        assert!(
                            weights.tensors.keys().eq(whole.tensors.keys()),
                            "{name} without {start}..{end}"
                        );
                        for (key, tensor) in &weights.tensors {
                            let is_same = tensor.bytes(&cut) == whole.tensors[key].bytes(&bytes);
                            assert!(is_same, "{name} without {start}..{end}: {key}");
                        }
                    }
                }
            }
        }
    }
    assert!(refused > 5000, "{refused}");
}

#[test]
fn no_flipped_bit_of_a_weight_is_read() {
    let mut flipped = 0;
    for (name, bytes) in golden(false) {
        let whole = pickle::read(&bytes, None).expect("weights");
        let tensors: Vec<Vec<u8>> = whole.tensors.values().map(|tensor| tensor.bytes(&bytes)).collect();
        let first = tensors.iter().find(|values| values.len() > 8).expect("a tensor");
        let start = bytes.windows(first.len()).position(|window| window == first).expect("its bytes");
        for at in (start..start + first.len()).step_by(3) {
            let mut other = bytes.clone();
            other[at] ^= 1 << (at % 8);
            let why = pickle::read(&other, None).expect_err(&name);
            assert!(why.contains("is damaged: its checksum differs"), "{name}: {why}");
            flipped += 1;
        }
        // a file without checksums is read as it is
        let bare = without_checksums(&bytes);
        let read = pickle::read(&bare, None).expect("weights");
        assert!(read.tensors.values().map(|tensor| tensor.bytes(&bare)).eq(tensors), "{name}");
    }
    assert!(flipped > 20, "{flipped}");
}

/// Pickles may use these opcodes and no other; `torch.save` writes all of them for a checkpoint or for its numbers.
#[test]
fn every_opcode_that_is_not_listed_is_refused_by_name() {
    const ALLOWED: &[u8] = b"\x80}])(tQRbsuaeqrhjKMJGXcN\x8a\x85\x86\x87\x88\x89.";
    let opcode = |code: u8| [b"\x80\x02".as_slice(), &[code]].concat();
    for code in 0..=u8::MAX {
        let why = read(&opcode(code)).expect_err("an opcode alone is no dictionary");
        assert_eq!(why.contains("uses the pickle opcode"), !ALLOWED.contains(&code), "0x{code:02x}: {why}");
    }
}

fn damaged(inputs: usize, most: Duration) {
    let mut samples = vec![archive(&sound()), archive(&hostile()[0].1)];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pickles");
    let kept = |name: &str| without_checksums(&std::fs::read(folder.join(name)).expect(name));
    samples.extend(["flat.pth", "nested.pth"].map(kept));
    let read = |bytes: &[u8]| {
        if let Ok(weights) = pickle::read(bytes, None) {
            weights.tensors.values().for_each(|tensor| drop(tensor.bytes(bytes)));
        }
    };
    read_all("pickle", inputs, most, |name| mutated(&samples, name), read);
}

#[test]
fn a_few_hundred_damaged_files() {
    damaged(500, Duration::from_secs(20));
}

#[test]
#[ignore = "takes minutes; the command is above"]
fn a_million_damaged_files() {
    damaged(1_000_000, Duration::from_secs(1));
    assert!(peak_mebibytes() < 1024);
}

/// Every file in the folder of golden files whose name starts so, without its ending.
fn golden(is_refused: bool) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pickles");
    let paths = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let mut files: Vec<(String, Vec<u8>)> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "pth"))
        .map(|path| {
            (
                path.file_stem().expect("a name").to_string_lossy().to_string(),
                std::fs::read(&path).expect("read"),
            )
        })
        .filter(|(name, _)| name.starts_with("refused") == is_refused)
        .collect();
    files.sort();
    files
}

#[test]
fn tensors_are_those_that_pytorch_reads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pickles");
    let files = golden(false);
    assert_eq!(files.len(), 6);
    let mut told = Vec::new();
    for (name, bytes) in files {
        let weights = pickle::read(&bytes, None).unwrap_or_else(|why| panic!("{name} {why}"));
        let expected = std::fs::read(folder.join(&name).with_extension("safetensors")).expect("read");
        let expected = SafeTensors::deserialize(&expected).expect("safetensors");
        let names: Vec<&String> = weights.tensors.keys().collect();
        let mut known = expected.names();
        known.sort_unstable();
        assert_eq!(names, known, "{name}");
        for (key, tensor) in &weights.tensors {
            let view = expected.tensor(key).expect("it is there");
            assert_eq!(
                format!("{:?}", tensor.of).to_uppercase(),
                format!("{:?}", view.dtype()),
                "{name} {key}"
            );
            assert_eq!(tensor.sizes, view.shape(), "{name} {key}");
            assert_eq!(tensor.bytes(&bytes), view.data(), "{name} {key}");
        }
        told.push(format!("{name}: {}", weights.remarks.join("; ")));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn files_of_pytorch_that_hold_more_than_weights_are_refused_with_the_remedy() {
    let told = golden(true).into_iter().map(|(name, bytes)| {
        let why = pickle::read(&bytes, None).expect_err(&name);
        format!("{name} {}", why.replace(medcert::graph::pt2::EXPORT, "EXPORT"))
    });
    insta::assert_snapshot!(told.collect::<Vec<String>>().join("\n"));
}
