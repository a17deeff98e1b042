//! The module behind a user's model: a graph of torch.export or of ONNX, which is data; or a `TorchScript` module, which
//! holds code.

use tch::{CModule, jit};

use crate::graph::{Program, Reads};
use crate::lab::graph::Graph;
use crate::lab::tensor::{self, Tensor};
use crate::spec::{ModuleFile, ScriptModel};
use crate::{Error, Result};

/// A loaded module.
#[derive(Debug)]
pub(super) enum Module {
    Graph(Box<Graph>),
    TorchScript(CModule),
}

impl Module {
    /// Prepares a graph; `bytes` hold its weights. Its inputs must be those that the spec names.
    pub(super) fn graph(
        name: &str,
        program: Program,
        bytes: &[u8],
        (spec, file): (&ScriptModel, &ModuleFile),
    ) -> Result<Self> {
        let refused = |what: String| Error::Input(format!("{name} {what}"));
        program.reads().and_then(|reads| check_inputs(spec, file, reads)).map_err(refused)?;
        if program.outputs.len() != 1 {
            let what = format!(
                "returns {} tensors; export a module that returns its logits alone",
                program.outputs.len()
            );
            return Err(refused(what));
        }
        let graph = Graph::new(program, bytes).map_err(|why| match why {
            Error::Input(what) => refused(what),
            other => other,
        })?;
        Ok(Self::Graph(Box::new(graph)))
    }

    /// Loads a `TorchScript` module in evaluation mode, with parameters that require no gradient.
    pub(super) fn torch_script(file: &str, bytes: &[u8]) -> Result<Self> {
        jit::f_set_profiling_mode(false)?; // otherwise the first calls run other code than later ones
        jit::f_set_graph_executor_optimize(false)?;
        let mut module = CModule::load_data_on_device(&mut &*bytes, tensor::device())
            .map_err(|why| not_a_module(file, &why))?;
        module.f_set_eval()?;
        for (_, tensor) in module.named_parameters()? {
            let _ = tensor.f_set_requires_grad(false)?;
        }
        Ok(Self::TorchScript(module))
    }

    /// The graph, if it is one.
    pub(super) fn as_graph(&self) -> Option<&Graph> {
        match self {
            Self::Graph(graph) => Some(graph),
            Self::TorchScript(_) => None,
        }
    }

    /// Folds the batch norms of a graph, with its images channels-last where it takes them, if it then answers these inputs
    /// as before, up to `tolerance`: absolute below 1, relative above.
    pub(super) fn fold(&mut self, inputs: &[&Tensor], tolerance: f32) -> Result<()> {
        let Self::Graph(graph) = self else { return Ok(()) };
        let _guard = tensor::no_grad_guard();
        let answers = |graph: &Graph| -> Result<Vec<f32>> {
            let outputs = graph.run(inputs)?;
            Ok(outputs.iter().map(tensor::values).collect::<Result<Vec<Vec<f32>>>>()?.concat())
        };
        let plain = answers(graph)?;
        let is_near = |(one, other): (&f32, &f32)| (one - other).abs() <= tolerance * one.abs().max(1.0);
        for channels_last in [true, false] {
            let Some(folded) = graph.folded(channels_last)? else { break };
            let quick = match answers(&folded) {
                // a call cannot view a tensor of this layout in another shape
                Err(Error::Input(_)) => continue,
                quick => quick?,
            };
            if plain.len() == quick.len() && plain.iter().zip(&quick).all(is_near) {
                **graph = folded;
                break;
            }
        }
        Ok(())
    }

    /// Lets a graph run in parts from now on; see [`Graph::separate`].
    pub(super) fn separate(&mut self, images: &[&Tensor], text: &[&Tensor]) -> Result<()> {
        match self {
            Self::Graph(graph) => graph.separate(images, text),
            Self::TorchScript(_) => Ok(()),
        }
    }

    /// Number of parameters.
    pub(super) fn parameters(&self) -> Result<u64> {
        match self {
            Self::Graph(graph) => Ok(graph.parameters),
            Self::TorchScript(module) => {
                Ok(module.named_parameters()?.iter().map(|(_, tensor)| tensor.numel() as u64).sum())
            }
        }
    }

    pub(super) fn forward(&self, arguments: &[Tensor]) -> Result<Tensor> {
        match self {
            Self::Graph(graph) => {
                let inputs: Vec<&Tensor> = arguments.iter().collect();
                graph.run(&inputs)?.pop().ok_or_else(|| Error::Bug("a graph returns nothing".into()))
            }
            Self::TorchScript(module) => Ok(module.forward_ts(arguments)?),
        }
    }

    /// A digest of everything that it holds: parameters, buffers, attributes and constants.
    pub(super) fn state(&self) -> Result<blake3::Hash> {
        let module = match self {
            Self::Graph(graph) => return graph.state(),
            Self::TorchScript(module) => module,
        };
        let folder = tempfile::tempdir().map_err(|why| Error::unwritable(&std::env::temp_dir(), &why))?;
        // `named_parameters` lists parameters only; the saved file holds everything
        let path = folder.path().join("module");
        module.save(&path)?;
        let mut hasher = blake3::Hasher::new();
        let read = std::fs::File::open(&path).and_then(|file| std::io::copy(&mut &file, &mut hasher));
        read.map_err(|why| Error::unwritable(&path, &why))?;
        Ok(hasher.finalize())
    }
}

/// Refuses a graph if its inputs are not those that the spec names.
fn check_inputs(spec: &ScriptModel, file: &ModuleFile, reads: Reads) -> std::result::Result<(), String> {
    let says = |image: bool, text: bool| match (image, text) {
        (true, true) => "both",
        (true, false) => "image",
        (false, _) => "text",
    };
    let (image, text) = (reads.image.is_some(), reads.text.is_some());
    let (reads_image, reads_text) = (spec.image.is_some(), spec.reads_text);
    if (image, text) != (reads_image, reads_text) {
        let (found, said) = (says(image, text), says(reads_image, reads_text));
        return Err(format!("reads {found}, and the spec says `reads: {said}`; write `reads: {found}`"));
    }
    let (channels, side) = reads.image.unwrap_or((None, None));
    for (key, said, found) in
        [("channels", file.mean.len() as u64, channels), ("image", spec.image.map_or(0, u64::from), side)]
    {
        if let Some(found) = found.filter(|found| image && *found != said) {
            return Err(format!(
                "was exported for images of `{key}: {found}`, and the spec says {said}; write `{key}: {found}`"
            ));
        }
    }
    if let Some(Some(length)) = reads.text {
        return Err(format!(
            "was exported for texts of exactly {length} tokens; export it with a dynamic second dimension of the ids and the \
             mask: dynamic_shapes=({{0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}}, …)"
        ));
    }
    Ok(())
}

fn not_a_module(file: &str, why: &tch::TchError) -> Error {
    let why = why.to_string();
    let why = why.lines().next().unwrap_or_default().trim();
    Error::Input(format!(
        "{file} is no TorchScript module ({why}); save one with torch.jit.trace(model.eval(), example).save(FILE)"
    ))
}
