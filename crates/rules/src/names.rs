//! Many domain names in little memory: what a host's list takes is about what its names take.

use std::fmt;

use crate::DomainName;

/// A set of names, as one text and where each begins in it, in order.
#[derive(Clone, Default)]
pub struct Names {
    /// Each name and a line end.
    text: String,
    starts: Vec<u32>,
}

impl Names {
    /// Whether it has `name`.
    pub fn contains(&self, name: &DomainName) -> bool {
        self.starts.binary_search_by(|start| at(&self.text, *start).cmp(name.as_str())).is_ok()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Each name, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().map(|start| at(&self.text, *start))
    }
}

/// The name that begins at `start` of `text`.
fn at(text: &str, start: u32) -> &str {
    let rest = text.get(start as usize..).unwrap_or_default();
    rest.split_once('\n').map_or(rest, |(name, _)| name)
}

impl FromIterator<DomainName> for Names {
    fn from_iter<I: IntoIterator<Item = DomainName>>(names: I) -> Self {
        let mut building = Building::default();
        names.into_iter().for_each(|name| building.add(&name));
        building.finish()
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Names {}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Names that come one by one, in any order and more than once.
#[derive(Debug, Default)]
pub struct Building(Names);

impl Building {
    /// One more; beyond 4 GiB of text it is not taken.
    pub fn add(&mut self, name: &DomainName) {
        let Names { text, starts } = &mut self.0;
        if let Ok(start) = u32::try_from(text.len()) {
            starts.push(start);
            text.push_str(name.as_str());
            text.push('\n');
        }
    }

    /// All of them.
    pub fn finish(self) -> Names {
        let Names { text, mut starts } = self.0;
        starts.sort_unstable_by(|a, b| at(&text, *a).cmp(at(&text, *b)));
        starts.dedup_by(|a, b| at(&text, *a) == at(&text, *b));
        Names { text, starts }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_a_set_whatever_order_names_come_in() {
        let texts = ["b.example", "a.example", "*.a.example", "b.example", "a.example.org"];
        let names: Vec<DomainName> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let set: Names = names.iter().cloned().collect();
        let want: BTreeSet<&str> = texts.into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), want.into_iter().collect::<Vec<_>>());
        assert!(set.len() == 4 && !set.is_empty());
        assert!(names.iter().all(|name| set.contains(name)));
        for other in ["a.exampl", "a.example.or", "c.example", "example.org"] {
            assert!(!set.contains(&other.parse().unwrap()), "{other}");
        }
        assert_eq!(set, names.into_iter().rev().collect());
        assert!(Names::default().is_empty());
    }
}
