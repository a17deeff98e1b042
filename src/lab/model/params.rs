//! Parameters by name: what an architecture declares, with random values or those of a file.

use std::collections::BTreeMap;

use tch::nn::{Path, VarStore};

use crate::lab::tensor::{self, Tensor};
use crate::random::{normals, stream};
use crate::{Error, Result};

const NORM_EPSILON: f64 = 1e-5;

/// Initial values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Normally distributed, with this standard deviation.
    Normal(f32),
    /// The same value everywhere.
    Constant(f32),
}

/// A parameter that an architecture declares.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// Its name, as in the published checkpoint.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its initial values.
    pub init: Init,
    /// Whether it has a gradient in training; the running statistics of a batch norm have none.
    pub trained: bool,
}

/// Collects what an architecture declares.
#[derive(Debug, Default)]
pub struct Declarations {
    prefix: String,
    /// The parameters so far.
    pub list: Vec<Declared>,
}

impl Declarations {
    /// Declares parameters under a prefix: `vision` makes `vision.conv1.weight`.
    pub fn within(&mut self, prefix: &str, declare: impl FnOnce(&mut Self)) {
        let before = self.prefix.len();
        self.prefix.push_str(prefix);
        self.prefix.push('.');
        declare(self);
        self.prefix.truncate(before);
    }

    fn add(&mut self, name: &str, shape: &[usize], init: Init, trained: bool) {
        self.list.push(Declared {
            name: format!("{}{name}", self.prefix),
            shape: shape.to_vec(),
            init,
            trained,
        });
    }

    /// Declares a trained parameter.
    pub fn weight(&mut self, name: &str, shape: &[usize], init: Init) {
        self.add(name, shape, init, true);
    }

    /// Declares a convolution without bias, with the initial values of He et al. (2015), fan out.
    pub fn conv(&mut self, name: &str, out: usize, into: usize, kernel: usize) {
        let deviation = (2.0 / (out * kernel * kernel) as f32).sqrt();
        self.weight(&format!("{name}.weight"), &[out, into, kernel, kernel], Init::Normal(deviation));
    }

    /// Declares a batch norm with its running statistics.
    pub fn batch_norm(&mut self, name: &str, channels: usize) {
        self.weight(&format!("{name}.weight"), &[channels], Init::Constant(1.0));
        self.weight(&format!("{name}.bias"), &[channels], Init::Constant(0.0));
        self.add(&format!("{name}.running_mean"), &[channels], Init::Constant(0.0), false);
        self.add(&format!("{name}.running_var"), &[channels], Init::Constant(1.0), false);
    }

    /// Declares a linear layer with bias.
    pub fn linear(&mut self, name: &str, out: usize, into: usize, deviation: f32) {
        self.weight(&format!("{name}.weight"), &[out, into], Init::Normal(deviation));
        self.weight(&format!("{name}.bias"), &[out], Init::Constant(0.0));
    }

    /// Declares a layer norm.
    pub fn layer_norm(&mut self, name: &str, width: usize) {
        self.weight(&format!("{name}.weight"), &[width], Init::Constant(1.0));
        self.weight(&format!("{name}.bias"), &[width], Init::Constant(0.0));
    }
}

/// A parameter's name, shape and values.
pub type Named = (String, Vec<usize>, Vec<f32>);

/// Tensors by name, on one device.
#[derive(Debug)]
pub struct Params {
    store: VarStore,
    tensors: BTreeMap<String, Tensor>,
    /// Whether batch norms are folded into the convolutions before them, images are channels-last, and BERT computes
    /// only [CLS] in its last layer.
    folded: bool,
}

impl Params {
    /// Makes every declared parameter; `fill` returns its values, row-major.
    ///
    /// # Errors
    /// `fill` fails or returns the wrong number of values.
    pub fn make(declared: &[Declared], mut fill: impl FnMut(&Declared) -> Result<Vec<f32>>) -> Result<Self> {
        let store = VarStore::new(tensor::device());
        let mut tensors = BTreeMap::new();
        for parameter in declared {
            let tensor = tensor::floats(&fill(parameter)?, &parameter.shape)?;
            let (path, leaf) = place(&store, &parameter.name);
            let tensor = path.add(leaf, tensor, parameter.trained);
            tensors.insert(parameter.name.clone(), tensor);
        }
        Ok(Self { store, tensors, folded: false })
    }

    /// Draws the initial values of every declared parameter from a seed.
    pub fn random(declared: &[Declared], seed: u64) -> Result<Self> {
        Self::make(declared, |parameter| {
            let count = parameter.shape.iter().product();
            Ok(match parameter.init {
                Init::Constant(value) => vec![value; count],
                Init::Normal(deviation) => {
                    let mut rng = stream(&["initial weights", &seed.to_string(), &parameter.name]);
                    normals(&mut rng, count).into_iter().map(|x| x * deviation).collect()
                }
            })
        })
    }

    /// The same parameters in the same memory, for another thread that only reads them.
    #[must_use]
    pub fn copy(&self) -> Self {
        let tensors = self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
        Self { store: VarStore::new(tensor::device()), tensors: tensors.collect(), folded: self.folded }
    }

    /// The tensor with a name.
    ///
    /// # Errors
    /// No parameter has this name.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.tensors.get(name).ok_or_else(|| Error::Bug(format!("no parameter is called {name}")))
    }

    /// A view of the parameters under a prefix.
    pub fn scope<'a>(&'a self, prefix: &'a str) -> Scope<'a> {
        Scope { params: self, prefix: prefix.to_string() }
    }

    /// All names and values, sorted by name.
    pub fn values(&self) -> Result<Vec<Named>> {
        let mut all = Vec::with_capacity(self.tensors.len());
        for (name, tensor) in &self.tensors {
            let shape = tensor.size().iter().map(|&n| n as usize).collect();
            all.push((name.clone(), shape, tensor::values(tensor)?));
        }
        Ok(all)
    }

    /// Overwrites the values in place, by name. Parameters that are not given keep theirs.
    ///
    /// # Errors
    /// A name is unknown, or a length is wrong.
    pub fn restore(&self, values: &[Named]) -> Result<()> {
        let _guard = tensor::no_grad_guard();
        for (name, shape, values) in values {
            self.get(name)?.shallow_clone().f_copy_(&tensor::floats(values, shape)?)?;
        }
        Ok(())
    }

    /// Number of parameters that training changes.
    pub fn count(&self) -> u64 {
        let trained = self.tensors.iter().filter(|(name, _)| !name.contains("running_"));
        trained.map(|(_, tensor)| tensor.numel() as u64).sum()
    }

    /// The store from which an optimizer takes the parameters.
    pub fn store(&self) -> &VarStore {
        &self.store
    }

    /// Folds batch norms into the convolutions before them, and makes convolutions channels-last. In evaluation mode
    /// the results differ by rounding only, and are computed faster. Freezes the parameters.
    ///
    /// # Errors
    /// The convolution that the name of a batch norm points to is missing.
    pub fn fold(&mut self) -> Result<()> {
        let _guard = tensor::no_grad_guard();
        self.freeze();
        let norms: Vec<String> = self
            .tensors
            .keys()
            .filter_map(|name| name.strip_suffix(".running_mean"))
            .map(str::to_string)
            .collect();
        for norm in norms {
            let Some(conv) = convolution_before(&norm) else { continue };
            let part = |part: &str| self.get(&format!("{norm}.{part}"));
            let deviation = part("running_var")?.f_add_scalar(NORM_EPSILON)?.f_sqrt()?;
            let scale = part("weight")?.f_div(&deviation)?;
            let bias = part("bias")?.f_sub(&part("running_mean")?.f_mul(&scale)?)?;
            let weight = self.get(&format!("{conv}.weight"))?.f_mul(&scale.f_reshape([-1, 1, 1, 1])?)?;
            for part in ["weight", "bias", "running_mean", "running_var"] {
                self.tensors.remove(&format!("{norm}.{part}"));
            }
            self.tensors.insert(format!("{conv}.weight"), tensor::channels_last(&weight)?);
            self.tensors.insert(format!("{conv}.bias"), bias);
        }
        // some convolutions of a DenseNet have no norm right behind them
        for (_, weight) in self.tensors.iter_mut().filter(|(name, _)| is_convolution(name)) {
            *weight = tensor::channels_last(weight)?;
        }
        self.folded = true;
        Ok(())
    }

    /// Turns gradients off for all parameters.
    pub fn freeze(&mut self) {
        self.store.freeze();
    }
}

/// Name of the convolution right before a batch norm; None where a norm reads concatenated maps.
fn convolution_before(norm: &str) -> Option<String> {
    let (layer, own) = norm.rsplit_once('.').unwrap_or(("", norm));
    let beside = |conv: &str| Some(format!("{layer}.{conv}"));
    match own {
        "1" => beside("0"), // of `downsample`
        "norm0" => beside("conv0"),
        "norm2" => beside("conv1"),
        _ => own.starts_with("bn").then(|| norm.replace("bn", "conv")),
    }
}

/// Whether a parameter is a convolution's weight.
fn is_convolution(name: &str) -> bool {
    let layer =
        name.strip_suffix(".weight").map(|layer| layer.rsplit_once('.').map_or(layer, |(_, own)| own));
    layer.is_some_and(|own| own.starts_with("conv"))
}

fn place<'s, 'n>(store: &'s VarStore, name: &'n str) -> (Path<'s>, &'n str) {
    let mut path = store.root();
    let (folders, leaf) = name.rsplit_once('.').unwrap_or(("", name));
    for folder in folders.split('.').filter(|folder| !folder.is_empty()) {
        path = path.sub(folder);
    }
    (path, leaf)
}

/// Parameters under a prefix, with the layers that use them.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    params: &'a Params,
    prefix: String,
}

impl Scope<'_> {
    /// A scope below this one.
    #[must_use]
    pub fn sub(&self, name: &str) -> Self {
        Self { params: self.params, prefix: self.path(name) }
    }

    fn path(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) }
    }

    /// The tensor with a name below the prefix.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.params.get(&self.path(name))
    }

    /// Whether there is a parameter with a name below the prefix.
    pub fn has(&self, name: &str) -> bool {
        self.params.tensors.contains_key(&self.path(name))
    }

    /// Whether the parameters are folded.
    pub fn is_folded(&self) -> bool {
        self.params.folded
    }

    /// Brings images into the memory layout of the convolutions: channels-last if the parameters are folded.
    pub fn lay_out(&self, images: &Tensor) -> Result<Tensor> {
        if self.params.folded { tensor::channels_last(images) } else { Ok(images.shallow_clone()) }
    }

    /// Applies a convolution, with a bias if one was declared or folded in.
    pub fn conv(&self, name: &str, x: &Tensor, stride: i64, padding: i64, groups: i64) -> Result<Tensor> {
        let bias = self.params.tensors.get(&self.path(&format!("{name}.bias")));
        let weight = self.get(&format!("{name}.weight"))?;
        Ok(x.f_conv2d(weight, bias, [stride, stride], [padding, padding], [1, 1], groups)?)
    }

    /// Applies a batch norm (Ioffe and Szegedy, 2015). With `train` it uses the batch's statistics and updates the
    /// running ones. A folded one does nothing.
    pub fn batch_norm(&self, name: &str, x: &Tensor, train: bool) -> Result<Tensor> {
        if self.params.folded && !self.has(&format!("{name}.weight")) {
            return Ok(x.shallow_clone());
        }
        let part = |part: &str| self.get(&format!("{name}.{part}"));
        Ok(x.f_batch_norm(
            Some(part("weight")?),
            Some(part("bias")?),
            Some(part("running_mean")?),
            Some(part("running_var")?),
            train,
            0.1,
            NORM_EPSILON,
            false,
        )?)
    }

    /// Applies a linear layer.
    pub fn linear(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_linear(self.get(&format!("{name}.weight"))?, Some(self.get(&format!("{name}.bias"))?))?)
    }

    /// Applies a layer norm (Ba et al., 2016) over the last dimension.
    pub fn layer_norm(&self, name: &str, x: &Tensor, epsilon: f64) -> Result<Tensor> {
        let weight = self.get(&format!("{name}.weight"))?;
        let bias = self.get(&format!("{name}.bias"))?;
        Ok(x.f_layer_norm(weight.size(), Some(weight), Some(bias), epsilon, false)?)
    }
}

/// The digest of names, shapes and values, in hexadecimal.
pub fn digest(params: &Params) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for (name, shape, values) in params.values()? {
        hasher.update(format!("{name} {shape:?}\n").as_bytes());
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        hasher.update(&bytes);
    }
    Ok(hasher.finalize().to_hex().to_string())
}
