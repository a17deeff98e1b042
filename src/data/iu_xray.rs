//! The Indiana University collection in the Kaggle layout.
