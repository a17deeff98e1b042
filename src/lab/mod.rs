//! The laboratory: models, attacks, and what was observed. The only module that names tch.
