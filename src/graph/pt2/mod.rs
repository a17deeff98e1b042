//! Reads a file of torch.export (`torch.export.save`, `PyTorch` 2.9 and later): a zip archive with a JSON graph and
//! the raw bytes of the weights.
//!
//! Pickled parts, such as the sample inputs, are never opened. The faults of a graph are reported together, each with
//! a remedy; some remedies are the line of Python that exports the model correctly. Format: `PyTorch`'s
//! `torch/export/pt2_archive` and `torch/_export/serde/schema.py`.

mod archive_kind;
mod arguments;
mod calls;
mod element_numbers;
mod liveness;
mod program;
mod schema;
mod weights;

use self::program::ProgramReader;
use self::weights::WeightTables;
use super::Program;
use super::archive::Archive;
use super::faults::Faults;

/// The line of Python that exports a model in the form that medcert reads.
pub const EXPORT: &str = "torch.export.save(torch.export.export(model.eval(), (x,), dynamic_shapes=({0: \
                          torch.export.Dim.DYNAMIC},)), \"model.pt2\")";
const GRAPH: &str = "models/model.json";
/// Limit on the bytes of the graph; those of today's largest image models take 10 MiB.
const MOST_JSON: usize = 256 << 20;

/// Reads the program in a file's bytes.
///
/// # Errors
/// The archive is broken or holds something that medcert does not run. The message lists all faults, one a line.
pub fn read(bytes: &[u8]) -> Result<Program, String> {
    let refused = |what: String, remedy: &str| format!("cannot be used: {what}; {remedy}");
    let again = format!("save it again with {EXPORT}");
    let archive = Archive::open(bytes).map_err(|what| refused(what, &again))?;
    let mut faults = Faults::default();
    archive_kind::check(&archive, &mut faults);
    faults.check()?;
    let text = archive.read(GRAPH).ok_or_else(|| refused(format!("it has no {GRAPH}"), &again))?;
    let exported: schema::ExportedProgram = json(GRAPH, text).map_err(|what| refused(what, &again))?;
    if exported.schema_version.major != schema::MAJOR {
        let major = exported.schema_version.major;
        let what = format!(
            "PyTorch {} wrote it with version {major} of the format, and this medcert reads version {}",
            exported.torch_version,
            schema::MAJOR
        );
        return Err(refused(what, "save it again with PyTorch 2.9 to 2.13"));
    }
    let weights = WeightTables::read(&archive).map_err(|what| refused(what, &again))?;
    ProgramReader::new(weights, faults).program(exported.graph_module)
}

/// Parses a JSON part of the archive.
fn json<'t, T: serde::Deserialize<'t>>(name: &str, text: &'t [u8]) -> Result<T, String> {
    if text.len() > MOST_JSON {
        return Err(format!("{name} is larger than {} MiB", MOST_JSON >> 20));
    }
    serde_json::from_slice(text).map_err(|why| format!("{name} is not as torch.export writes it ({why})"))
}
