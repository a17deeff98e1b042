//! Disjoint sets of places, for what is alike directly or through others.

/// Disjoint sets of places; the root of a set is its first place.
#[derive(Debug, Clone)]
pub(crate) struct Sets(Vec<usize>);

impl Sets {
    /// Every place by itself.
    pub(crate) fn new(places: usize) -> Self {
        Self((0..places).collect())
    }

    /// The first place of the set that a place is in.
    pub(crate) fn root(&self, mut place: usize) -> usize {
        while self.0[place] != place {
            place = self.0[place];
        }
        place
    }

    /// Makes one set of the sets of two places.
    pub(crate) fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        // the earlier place is the root, so that the order of the joins does not matter
        self.0[one.max(other)] = one.min(other);
    }

    /// The root of every place.
    pub(crate) fn roots(&self) -> Vec<usize> {
        (0..self.0.len()).map(|place| self.root(place)).collect()
    }

    /// The root of every place that is not alone.
    pub(crate) fn groups(&self) -> Vec<Option<usize>> {
        let roots = self.roots();
        let mut sizes = vec![0_usize; roots.len()];
        for &root in &roots {
            sizes[root] += 1;
        }
        roots.into_iter().map(|root| (sizes[root] > 1).then_some(root)).collect()
    }
}
