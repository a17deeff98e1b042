//! Shards: the pieces of some chunks of a run, with everything that all shards have in common. Merged shards give the
//! same bytes, however the run was divided.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file::LARGEST_BYTES;
use super::{Cell, Counterexample, Evidence, Piece, SCHEMA, processor_of, smallest};
use crate::files::{bounded_read, write_whole};
use crate::seal::{self, Broken};
use crate::{Error, Result};

/// The kind of file, which enters the seal.
const KIND: &str = "part of a run";

/// The number of a shard, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// The number of this one, from 1.
    pub part: usize,
    /// How many there are.
    pub parts: usize,
}

impl Part {
    /// The whole run as one shard.
    pub const WHOLE: Self = Self { part: 1, parts: 1 };

    /// Whether a chunk, counted from 0, is in it.
    pub fn holds(self, chunk: usize) -> bool {
        chunk % self.parts == self.part - 1
    }
}

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(part, parts)| Some((part.parse().ok()?, parts.parse().ok()?)));
        match numbers {
            Some((part, parts)) if (1..=parts).contains(&part) && parts <= 10_000 => Ok(Self { part, parts }),
            _ => Err("write which part of how many, such as `2/7`".to_string()),
        }
    }
}

/// The pieces of one shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which shard it is.
    pub part: Part,
    /// Number of chunks of the whole run.
    pub chunks: usize,
    /// What all shards have in common; its cells and probes have no outcomes yet.
    pub head: Evidence,
    /// The pieces of its chunks.
    pub pieces: Pieces,
}

impl Shard {
    /// The path of a shard in a folder.
    pub fn place(folder: &Path, part: Part) -> PathBuf {
        folder.join(format!("shard-{:05}-of-{:05}.json", part.part, part.parts))
    }

    /// Writes it into a folder, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = Self::place(folder, self.part);
        let mut text = serde_json::to_vec(self)
            .map_err(|why| Error::Bug(format!("the part {} has no text form: {why}", path.display())))?;
        seal::close_json(KIND, &mut text);
        write_whole(&path, |out| out.write_all(&text))?;
        Ok(path)
    }

    /// Reads every shard of a folder.
    ///
    /// # Errors
    /// The folder holds none, or one of them cannot be read.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let remedy = "`medcert run SPEC --shard 1/3 --out FOLDER` writes parts";
        let failed = |why: std::io::Error| Error::unreadable(folder, &why, remedy);
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_string();
            if name.strip_prefix("shard-").is_some_and(|rest| rest.strip_suffix(".json").is_some()) {
                paths.push(path);
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(Error::Input(format!("{} holds no part of a run; {remedy}", folder.display())));
        }
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Result<Self> {
        let remedy = "run that part again";
        let failed = |why: std::io::Error| Error::unreadable(path, &why, remedy);
        let mut text = bounded_read(path, LARGEST_BYTES).map_err(failed)?;
        let refused = |why: &dyn std::fmt::Display| {
            Error::Input(format!("{} is no part of a run: {why}; {remedy}", path.display()))
        };
        let body = seal::open_json(KIND, &text).map_err(|broken| match broken {
            Broken::Absent => refused(&"it does not end with a seal, so it was cut off or is another file"),
            Broken::Differs => refused(&"it was altered since it was written"),
        });
        let length = body?.len();
        text.truncate(length);
        text.push(b'}');
        serde_json::from_slice(&text).map_err(|why| refused(&why))
    }
}

/// Pieces, each with the place of its model and the number of its chunk, from 0.
pub type Pieces = Vec<(usize, usize, Piece)>;

/// Merges all shards, in any order. `foreign` allows shards of other kinds of processor or versions of libtorch.
///
/// # Errors
/// As for [`gathered`]; or a piece has other cells than the head.
pub fn merge(shards: Vec<Shard>, foreign: bool) -> Result<Evidence> {
    let (head, pieces) = gathered(shards, foreign)?;
    assemble(head, pieces).map_err(refuse)
}

/// What all shards have in common, and the pieces of all, by model and chunk.
///
/// # Errors
/// A shard is missing, is there twice, or is of another spec, data, weights or way to run or, unless `foreign`, of
/// another kind of processor or libtorch.
pub fn gathered(mut shards: Vec<Shard>, foreign: bool) -> Result<(Evidence, Pieces)> {
    shards.sort_by_key(|shard| shard.part);
    let Some(first) = shards.first() else { return Err(refuse("there is none".to_string())) };
    let parts = first.part.parts;
    for (place, shard) in shards.iter().enumerate() {
        let name = format!("part {} of {}", shard.part.part, shard.part.parts);
        if let Some(why) = differs(first, shard, foreign) {
            return Err(refuse(format!("{name} is {why} than part {} of {parts}", first.part.part)));
        }
        if shard.part.part != place + 1 {
            let lacks = shard.part.part > place + 1;
            return Err(refuse(if lacks {
                format!("part {} of {parts} is missing; run it", place + 1)
            } else {
                format!("{name} is there twice; remove one")
            }));
        }
    }
    if shards.len() < parts {
        return Err(refuse(format!("part {} of {parts} is missing; run it", shards.len() + 1)));
    }
    let (chunks, mut head) = (first.chunks, first.head.clone());
    head.run.computed_by = shards.iter().flat_map(|shard| shard.head.run.computed_by.clone()).collect();
    head.run.computed_by.sort();
    head.run.computed_by.dedup();
    let mut pieces: Pieces = shards.into_iter().flat_map(|shard| shard.pieces).collect();
    pieces.sort_by_key(|(model, chunk, _)| (*model, *chunk));
    // a model is evaluated only on cases whose label is known, so it may have fewer chunks
    let of_model = |model: usize| {
        let cases = head.count_of(&head.models[model].name);
        (0..cases.div_ceil(head.run.chunk.max(1)).min(chunks)).map(move |chunk| (model, chunk))
    };
    let wanted = (0..head.models.len()).flat_map(of_model);
    if wanted.ne(pieces.iter().map(|(model, chunk, _)| (*model, *chunk))) {
        return Err(refuse("a chunk is missing or there twice; run all parts again".to_string()));
    }
    Ok((head, pieces))
}

#[allow(clippy::needless_pass_by_value)] // as `map_err` asks for it
fn refuse(why: String) -> Error {
    Error::Input(format!("the parts make no whole: {why}"))
}

/// How a shard differs from the first one.
fn differs(first: &Shard, shard: &Shard, foreign: bool) -> Option<String> {
    let (a, b) = (&first.head, &shard.head);
    let way = |of: &Evidence| (of.run.device.clone(), of.run.chunk, of.run.folded, of.run.early);
    let same_run = way(a) == way(b);
    let parts = a.spec.differences(&b.spec);
    if !parts.is_empty() {
        return Some(format!("of another spec, which differs in {}", parts.join(", ")));
    }
    let libtorch = |of: &Evidence| -> Vec<String> {
        of.run.computed_by.iter().map(|machine| machine.libtorch.clone()).collect()
    };
    let said = [
        (
            a.schema == b.schema && a.schema == SCHEMA && a.medcert == b.medcert,
            "of another version of medcert",
        ),
        (first.part.parts == shard.part.parts, "one of another number of parts"),
        (
            a.cells == b.cells && a.probes == b.probes && a.certificates == b.certificates,
            "of a spec with other attacks or certificates",
        ),
        (a.data == b.data && a.cases == b.cases && a.baselines == b.baselines, "of other data"),
        (a.models == b.models, "of other weights"),
        (first.chunks == shard.chunks && same_run, "of another way to run"),
        (foreign || libtorch(a) == libtorch(b), "of another libtorch"),
        (foreign || processor_of(&a.run) == processor_of(&b.run), "of another kind of processor"),
    ];
    said.into_iter().find(|(same, _)| !same).map(|(_, why)| why.to_string())
}

/// Puts the pieces of every model, chunk by chunk, into the cells and probes of the head.
///
/// # Errors
/// A piece has other cells than the head.
pub fn assemble(head: Evidence, pieces: Pieces) -> std::result::Result<Evidence, String> {
    let mut assembly = Assembly::new(head);
    for (model, _, piece) in pieces {
        assembly.add(model, piece)?;
    }
    Ok(assembly.whole())
}

/// Evidence that grows piece by piece.
#[derive(Debug)]
pub struct Assembly {
    head: Evidence,
    /// The counterexamples of each cell.
    found: Vec<Vec<Counterexample>>,
}

impl Assembly {
    /// Starts from a head, whose cells and probes have no outcomes yet.
    pub fn new(head: Evidence) -> Self {
        let found = vec![vec![]; head.cells.len()];
        Self { head, found }
    }

    /// The evidence so far, without counterexamples.
    pub fn by_now(&self) -> &Evidence {
        &self.head
    }

    /// Adds the piece of a model over its next chunk.
    ///
    /// # Errors
    /// The piece has other cells than the head.
    pub fn add(&mut self, model: usize, piece: Piece) -> std::result::Result<(), String> {
        let head = &mut self.head;
        let name = head.models.get(model).map(|model| model.name.clone()).unwrap_or_default();
        let own = |cells: &[Cell]| -> Vec<usize> {
            (0..cells.len()).filter(|&place| cells[place].model == name).collect()
        };
        let (cells, probes) = (own(&head.cells), own(&head.probes));
        let certificates: Vec<usize> =
            (0..head.certificates.len()).filter(|&place| head.certificates[place].model == name).collect();
        let fits = cells.len() == piece.cells.len()
            && probes.len() == piece.probes.len()
            && certificates.len() == piece.certificates.len();
        if !fits {
            return Err(format!("a piece of {name} has other cells than the spec"));
        }
        for (place, seen) in cells.into_iter().zip(piece.cells) {
            let Some(seen) = seen else { continue };
            head.cells[place].outcomes.extend(seen.outcomes);
            self.found[place].extend(seen.counterexamples);
            head.regressions.tried += seen.regressions.tried;
            head.regressions.still_break += seen.regressions.still_break;
        }
        for (place, outcomes) in probes.into_iter().zip(piece.probes) {
            head.probes[place].outcomes.extend(outcomes);
        }
        for (place, votes) in certificates.into_iter().zip(piece.certificates) {
            head.certificates[place].votes.extend(votes);
        }
        if let Some(seen) = piece.health {
            match head.health.iter_mut().find(|known| known.model == seen.model) {
                Some(known) => *known = known.clone().and(&seen),
                None => head.health.push(seen),
            }
        }
        Ok(())
    }

    /// The complete evidence, with the smallest counterexamples of each cell.
    pub fn whole(mut self) -> Evidence {
        self.head.counterexamples = self.found.into_iter().flat_map(smallest).collect();
        self.head
    }
}
