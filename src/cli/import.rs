//! `medcert import model.pth`: turns pickled weights of PyTorch into safetensors, without running what is in the file.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use safetensors::tensor::{Dtype, TensorView, serialize};
use sha2::{Digest, Sha256};

use super::write_out;
use crate::files::{bounded_read, write_whole};
use crate::pickle::{self, NumberType, StoredTensor};
use crate::report::grouped;
use crate::{Error, Result};

/// Limit on the bytes of a file.
const MOST_BYTES: u64 = 8 << 30;

/// Turn pickled weights (.pth, .pt) into safetensors, without running what is in the file
#[derive(Debug, Args)]
pub(super) struct Import {
    /// File that `torch.save` wrote
    file: PathBuf,
    /// File to write [default: the same name with .safetensors]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Key of the weights in a checkpoint that holds several
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
}

impl Import {
    pub(super) fn run(&self) -> Result<u8> {
        let out = self.out.clone().unwrap_or_else(|| self.file.with_extension("safetensors"));
        if out.exists() {
            return Err(Error::Usage(format!(
                "{} is there already; remove it, or name another file with --out",
                out.display()
            )));
        }
        let bytes = bounded_read(&self.file, MOST_BYTES)
            .map_err(|why| Error::unreadable(&self.file, &why, "name a file that torch.save wrote"))?;
        let weights = pickle::read(&bytes, self.key.as_deref())
            .map_err(|what| Error::Input(format!("{} {what}", self.file.display())))?;
        let numbers: usize = weights.tensors.values().map(StoredTensor::numbers).sum();
        let tensors: Vec<(&String, &StoredTensor, Vec<u8>)> =
            weights.tensors.iter().map(|(name, tensor)| (name, tensor, tensor.bytes(&bytes))).collect();
        let mut views = Vec::with_capacity(tensors.len());
        for (name, tensor, bytes) in &tensors {
            let view = TensorView::new(dtype(tensor.of), tensor.sizes.clone(), bytes);
            let view = view.map_err(|why| Error::Bug(format!("{name} has no form in safetensors: {why}")))?;
            views.push((name.as_str(), view));
        }
        let about = HashMap::from([("format".to_string(), "pt".to_string())]);
        let written = serialize(views, Some(about));
        let written =
            written.map_err(|why| Error::Bug(format!("weights have no form in safetensors: {why}")))?;
        write_whole(&out, |file| std::io::Write::write_all(file, &written))?;
        let mut lines: Vec<String> = weights.remarks;
        lines.push(format!(
            "{}: {} tensors, {} numbers",
            out.display(),
            grouped(tensors.len() as u64),
            grouped(numbers as u64)
        ));
        lines.push(format!("sha256: {:x}", Sha256::digest(&written)));
        write_out(&lines.iter().map(|line| crate::sanitize::lines(line) + "\n").collect::<String>())?;
        Ok(0)
    }
}

fn dtype(of: NumberType) -> Dtype {
    match of {
        NumberType::F64 => Dtype::F64,
        NumberType::F32 => Dtype::F32,
        NumberType::F16 => Dtype::F16,
        NumberType::Bf16 => Dtype::BF16,
        NumberType::I64 => Dtype::I64,
        NumberType::I32 => Dtype::I32,
        NumberType::I16 => Dtype::I16,
        NumberType::I8 => Dtype::I8,
        NumberType::U8 => Dtype::U8,
        NumberType::Bool => Dtype::BOOL,
    }
}
