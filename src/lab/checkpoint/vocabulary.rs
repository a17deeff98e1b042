//! The vocabulary of a language model's folder: `tokenizer.json`; or `vocab.txt` with `tokenizer_config.json`, as BERT has
//! them; or `vocab.json` and `merges.txt`, as RoBERTa has them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::config::{LIMIT_BYTES, Object};
use crate::files::bounded_text;
use crate::text::{Scheme, Vocabulary};
use crate::{Error, Result};

/// What to do with a tokenizer of another kind.
const ELSEWHERE: &str = "bring the model as an endpoint or a command, which tokenizes itself";
/// What to do with a tokenizer that was damaged.
const AGAIN: &str = "copy the tokenizer's files again";

/// Reads the vocabulary of a folder; `lowercase`, if given, overrides what the folder says about lowercasing texts.
///
/// # Errors
/// There is no vocabulary, it is neither of BERT's kind nor of RoBERTa's, or nothing says whether texts are lowercased
/// for a cased one of BERT's.
pub fn read_vocabulary(folder: &Path, lowercase: Option<bool>) -> Result<Vocabulary> {
    let (whole, pairs) = (folder.join("tokenizer.json"), folder.join("vocab.json"));
    let said_by_files = if whole.exists() {
        let file = Object::read(whole)?;
        let vocabulary = of_tokenizer(&file)?;
        check_config(folder, &vocabulary, lowercase)?;
        vocabulary
    } else if pairs.exists() && !folder.join("vocab.txt").exists() {
        of_pairs(folder, &Object::read(pairs)?)?
    } else {
        return of_list(folder, lowercase);
    };
    Ok(Vocabulary { lowercase: lowercase.unwrap_or(said_by_files.lowercase), ..said_by_files })
}

/// `tokenizer_config.json`, if it is there.
fn config_of(folder: &Path) -> Result<Option<Object>> {
    let path = folder.join("tokenizer_config.json");
    if path.exists() { Object::read(path).map(Some) } else { Ok(None) }
}

/// A text without the byte order mark that some editors put first.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Refuses a `tokenizer.json` where `tokenizer_config.json` says otherwise: transformers follows the latter in some of its
/// versions. A `lowercase` of the spec decides for itself.
fn check_config(folder: &Path, vocabulary: &Vocabulary, lowercase: Option<bool>) -> Result<()> {
    let Some(about) = config_of(folder)? else { return Ok(()) };
    let differs = |key: &str, found: bool| {
        about.flag(key).filter(|said| *said != found).map(|said| (key.to_string(), said))
    };
    let fault = match &vocabulary.scheme {
        Scheme::WordPiece { strip_accents, split_chinese } => {
            let lower = differs("do_lower_case", vocabulary.lowercase).filter(|_| lowercase.is_none());
            if let Some((key, said)) = lower {
                return Err(about.wrong(&format!(
                    "`{key}` is {said}, and tokenizer.json says otherwise; write `lowercase: true` or `lowercase: false` in the spec, \
                     as the model was trained"
                )));
            }
            // where nothing is said of accents, a tokenizer that lowers the case strips them
            let found = strip_accents.unwrap_or(lowercase.unwrap_or(vocabulary.lowercase));
            let accents = differs("strip_accents", found);
            accents.or_else(|| differs("tokenize_chinese_chars", *split_chinese))
        }
        Scheme::BytePairs { leading_space, .. } => differs("add_prefix_space", *leading_space),
    };
    fault.map_or(Ok(()), |(key, said)| {
        Err(about.wrong(&format!(
            "`{key}` is {said}, and tokenizer.json says otherwise; save both again with \
             AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        )))
    })
}

/// The vocabulary of `vocab.txt`.
fn of_list(folder: &Path, lowercase: Option<bool>) -> Result<Vocabulary> {
    let path = folder.join("vocab.txt");
    let text = bounded_text(&path, LIMIT_BYTES).map_err(|why| {
        Error::unreadable(
            &path,
            &why,
            "the folder needs tokenizer.json, or vocab.txt, or vocab.json and merges.txt",
        )
    })?;
    let entries: Vec<String> = without_mark(&text).lines().map(str::to_string).collect();
    let (mut said, mut scheme) = (lowercase, Scheme::BERT);
    if let Some(about) = config_of(folder)? {
        said = said.or(about.flag("do_lower_case"));
        scheme = Scheme::WordPiece {
            strip_accents: about.flag("strip_accents"),
            split_chinese: about.flag("tokenize_chinese_chars").unwrap_or(true),
        };
    }
    let is_cased = |entry: &String| !entry.starts_with('[') && entry.chars().any(char::is_uppercase);
    if said.is_none() && entries.iter().any(is_cased) {
        return Err(Error::Input(format!(
            "{} holds capital letters, and nothing says whether texts are put into lower case before they are looked \
             up; write `lowercase: false` beside `start`, or `lowercase: true` if the model was trained so",
            path.display()
        )));
    }
    Ok(Vocabulary { entries, lowercase: said.unwrap_or(true), scheme })
}

/// The vocabulary of `vocab.json` and `merges.txt`.
fn of_pairs(folder: &Path, file: &Object) -> Result<Vocabulary> {
    let ids = file
        .value
        .as_object()
        .ok_or_else(|| file.wrong(&format!("it must be a JSON object of entries and their ids; {AGAIN}")))?;
    let entries = in_order(file, ids)?;
    let path = folder.join("merges.txt");
    let text = bounded_text(&path, LIMIT_BYTES)
        .map_err(|why| Error::unreadable(&path, &why, "vocab.json needs merges.txt beside it"))?;
    // the first line may say the version
    let lines = without_mark(&text).lines().enumerate().filter(|(_, line)| !line.is_empty());
    let lines = lines.filter(|(place, line)| *place > 0 || !line.starts_with("#version"));
    let pair = |(place, line): (usize, &str)| {
        pair_of(line).ok_or_else(|| {
            let place = place + 1;
            Error::Input(format!(
                "{}:{place}: {line:?} is no pair of entries; each line has two, and a space between them",
                path.display()
            ))
        })
    };
    let merges = lines.map(pair).collect::<Result<_>>()?;
    let leading_space = config_of(folder)?.and_then(|about| about.flag("add_prefix_space")).unwrap_or(false);
    Ok(Vocabulary { entries, lowercase: false, scheme: Scheme::BytePairs { merges, leading_space } })
}

fn pair_of(line: &str) -> Option<(String, String)> {
    let (first, second) = line.split_once(' ')?;
    let is_one = |part: &str| !part.is_empty() && !part.contains(' ');
    (is_one(first) && is_one(second)).then(|| (first.to_string(), second.to_string()))
}

/// The vocabulary of a `tokenizer.json` of BERT's or RoBERTa's kind.
fn of_tokenizer(file: &Object) -> Result<Vocabulary> {
    let kind = |key: &str| file.value.get(key).and_then(|part| part.get("type")).and_then(Value::as_str);
    match kind("model") {
        Some("WordPiece") => of_word_pieces(file),
        Some("BPE") => of_byte_pairs(file),
        other => Err(file.wrong(&format!(
            "its `model` is {} and only WordPiece (as BERT's) and BPE of bytes (as RoBERTa's) are supported; {ELSEWHERE}",
            other.unwrap_or("nothing")
        ))),
    }
}

/// A part of a `tokenizer.json` that must be of a kind.
fn part<'f>(file: &'f Object, key: &str, kind: &str, whose: &str) -> Result<&'f Value> {
    let part = file.value.get(key).filter(|part| part.get("type").and_then(Value::as_str) == Some(kind));
    part.ok_or_else(|| {
        file.wrong(&format!("its `{key}` is no {kind}, so it is no tokenizer of {whose} kind"))
    })
}

fn of_word_pieces(file: &Object) -> Result<Vocabulary> {
    let part = |key: &str, kind: &str| part(file, key, kind, "BERT's");
    let normalizer = part("normalizer", "BertNormalizer")?;
    part("pre_tokenizer", "BertPreTokenizer")?;
    let flag = |key: &str| normalizer.get(key).and_then(Value::as_bool);
    Ok(Vocabulary {
        entries: in_order(file, listed(file)?)?,
        lowercase: flag("lowercase").unwrap_or(true),
        scheme: Scheme::WordPiece {
            strip_accents: flag("strip_accents"),
            split_chinese: flag("handle_chinese_chars").unwrap_or(true),
        },
    })
}

fn of_byte_pairs(file: &Object) -> Result<Vocabulary> {
    let part = |key: &str, kind: &str| part(file, key, kind, "RoBERTa's");
    let model = part("model", "BPE")?;
    let before = part("pre_tokenizer", "ByteLevel")?;
    let is = |object: &Value, key: &str| object.get(key).and_then(Value::as_bool);
    for (object, key, needed) in
        [(model, "byte_fallback", false), (model, "ignore_merges", false), (before, "use_regex", true)]
    {
        if is(object, key).is_some_and(|found| found != needed) {
            return Err(
                file.wrong(&format!("`{key}` is {} and only {needed} is supported; {ELSEWHERE}", !needed))
            );
        }
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix", "dropout"] {
        let is_unset = |value: &Value| value.is_null() || value == "" || value == 0.0;
        if !model.get(key).is_none_or(is_unset) {
            return Err(file.wrong(&format!("`{key}` is {} and must be unset; {ELSEWHERE}", model[key])));
        }
    }
    let lowercase = match file.value.get("normalizer") {
        None | Some(Value::Null) => false,
        Some(normalizer) if normalizer.get("type").and_then(Value::as_str) == Some("Lowercase") => true,
        Some(_) => {
            let what = format!("its `normalizer` is not supported, only Lowercase or none; {ELSEWHERE}");
            return Err(file.wrong(&what));
        }
    };
    // older files join the two entries with a space
    let pair = |pair: &Value| match pair {
        Value::String(line) => pair_of(line),
        Value::Array(two) => match two.as_slice() {
            [Value::String(first), Value::String(second)] => Some((first.clone(), second.clone())),
            _ => None,
        },
        _ => None,
    };
    let merges =
        model.get("merges").and_then(Value::as_array).ok_or_else(|| file.wrong("it has no `merges`"))?;
    let merges = merges.iter().map(|found| {
        pair(found).ok_or_else(|| {
            file.wrong(&format!("`merges` holds {found}, and each merge has two entries; {AGAIN}"))
        })
    });
    let merges = merges.collect::<Result<_>>()?;
    let leading_space = is(before, "add_prefix_space").unwrap_or(true);
    Ok(Vocabulary {
        entries: in_order(file, listed(file)?)?,
        lowercase,
        scheme: Scheme::BytePairs { merges, leading_space },
    })
}

/// The entries of a `tokenizer.json` with their ids: those of the model, and those that were added.
fn listed(file: &Object) -> Result<BTreeMap<&String, &Value>> {
    let ids = file.value.get("model").and_then(|model| model.get("vocab")).and_then(Value::as_object);
    let mut all: BTreeMap<&String, &Value> =
        ids.ok_or_else(|| file.wrong("it has no `vocab`"))?.iter().collect();
    for added in file.value.get("added_tokens").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(Value::String(entry)), Some(id)) = (added.get("content"), added.get("id")) {
            let _ = all.entry(entry).or_insert(id);
        }
    }
    Ok(all)
}

/// Entries by id; every id from 0 must stand once.
fn in_order<'f>(
    file: &Object,
    ids: impl IntoIterator<Item = (&'f String, &'f Value)>,
) -> Result<Vec<String>> {
    let ids: Vec<(&String, &Value)> = ids.into_iter().collect();
    let mut entries = vec![String::new(); ids.len()];
    for (entry, id) in &ids {
        if entry.contains('\n') {
            return Err(file.wrong(&format!(
                "the entry {entry:?} holds a line break, and medcert keeps one entry a line; {ELSEWHERE}"
            )));
        }
        let place = id.as_u64().and_then(|id| entries.get_mut(id as usize)).filter(|place| place.is_empty());
        let place = place.ok_or_else(|| {
            let last = ids.len().saturating_sub(1);
            file.wrong(&format!(
                "{entry:?} has the id {id}, and each id from 0 to {last} must occur once; {AGAIN}"
            ))
        })?;
        place.clone_from(entry);
    }
    Ok(entries)
}
