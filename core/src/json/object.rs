//! A JSON object: its members in the order of the document.
//!
//! A list, because nearly every object has a handful of members, and comparing a handful of short
//! names is cheaper than hashing one. An object of many members has an index beside the list, so
//! that no document, however odd, costs more than its length.

use std::collections::HashMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::key::Key;
use super::value::Value;
use super::write::to_vec;

/// The place of each name. Behind a pointer of its own, so that an object stays as small as a list.
#[derive(Clone)]
struct Index(HashMap<Key, usize>);

/// From how many members on there is an index.
const MANY: usize = 64;

/// A JSON object in the order of its document.
#[derive(Clone, Default)]
pub struct Object {
    members: Vec<(Key, Value)>,
    /// Where each name stands; made when it is wanted, dropped when places shift.
    index: Option<Box<Index>>,
}

impl Object {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Object::default()
    }

    /// An object with room for so many members.
    #[must_use]
    pub fn with_capacity(members: usize) -> Self {
        Object::unique(Vec::with_capacity(members))
    }

    /// An object of members whose names differ.
    pub(crate) fn unique(members: Vec<(Key, Value)>) -> Self {
        Object { members, index: None }
    }

    /// An object of members in the order of a document. Of several with one name the last counts,
    /// in the place of the first.
    pub(super) fn of(members: Vec<(Key, Value)>) -> Self {
        let mut seen = 0;
        let repeats = |(i, (key, _)): (usize, &(Key, Value))| {
            let bit = Key::bit(key);
            let maybe = seen & bit != 0;
            seen |= bit;
            maybe && members[..i].iter().any(|(other, _)| other == key)
        };
        let few = members.len() < MANY;
        if few && !members.iter().enumerate().any(repeats) {
            return Object::unique(members);
        }
        let mut object = Object::new();
        object.extend(members);
        object
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.find(name).map(|at| &self.members[at].1)
    }

    /// The value of a member, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.prepare();
        self.find(name).map(|at| &mut self.members[at].1)
    }

    /// Whether there is a member of this name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Sets a member: in its place where there is one, else at the end. Returns the old value.
    pub fn insert(&mut self, name: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        self.prepare();
        if let Some(at) = self.find(&name) {
            return Some(std::mem::replace(&mut self.members[at].1, value));
        }
        if let Some(index) = &mut self.index {
            index.0.insert(name.clone(), self.members.len());
        }
        self.members.push((name, value));
        None
    }

    /// Takes a member out; the others keep their order.
    pub fn shift_remove(&mut self, name: &str) -> Option<Value> {
        self.shift_remove_entry(name).map(|(_, value)| value)
    }

    /// Takes a member out where its value is as wanted.
    pub fn take_if(&mut self, name: &str, wanted: impl FnOnce(&Value) -> bool) -> Option<Value> {
        let at = self.find(name).filter(|at| wanted(&self.members[*at].1))?;
        self.forget();
        Some(self.members.remove(at).1)
    }

    /// Takes a member out with its name.
    pub fn shift_remove_entry(&mut self, name: &str) -> Option<(Key, Value)> {
        let at = self.find(name)?;
        self.forget();
        Some(self.members.remove(at))
    }

    /// Keeps the members that `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &mut Value) -> bool) {
        self.forget();
        self.members.retain_mut(|(name, value)| keep(name, value));
    }

    /// The members.
    pub fn iter(&self) -> Iter<'_> {
        self.members.iter().map(|(name, value)| (name, value))
    }

    /// The members, their values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Value)> {
        self.members.iter_mut().map(|(name, value)| (&*name, value))
    }

    /// The names.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.members.iter().map(|(name, _)| name)
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.members.iter().map(|(_, value)| value)
    }

    /// Compact JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_vec(self, self.length())
    }

    /// About how long its JSON is.
    pub(super) fn length(&self) -> usize {
        let member = |(name, value): &Member| name.len() + 4 + value.length();
        2 + self.members.iter().map(member).sum::<usize>()
    }

    fn find(&self, name: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.0.get(name).copied(),
            None => self.members.iter().position(|(key, _)| key == name),
        }
    }

    /// Drops the index, as places shift. Nearly no object has one.
    #[inline]
    fn forget(&mut self) {
        if self.index.is_some() {
            self.index = None;
        }
    }

    /// Makes the index before a change, of which many may follow.
    #[inline]
    fn prepare(&mut self) {
        if self.members.len() >= MANY && self.index.is_none() {
            self.make_index();
        }
    }

    #[cold]
    fn make_index(&mut self) {
        let names = self.members.iter().enumerate().map(|(at, (name, _))| (name.clone(), at));
        self.index = Some(Box::new(Index(names.collect())));
    }
}

type Member = (Key, Value);

/// The members of an object.
pub type Iter<'a> =
    std::iter::Map<std::slice::Iter<'a, Member>, fn(&'a Member) -> (&'a Key, &'a Value)>;

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a Key, &'a Value);
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl IntoIterator for Object {
    type Item = (Key, Value);
    type IntoIter = std::vec::IntoIter<(Key, Value)>;
    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

impl<K: Into<Key>> Extend<(K, Value)> for Object {
    fn extend<I: IntoIterator<Item = (K, Value)>>(&mut self, members: I) {
        for (name, value) in members {
            self.insert(name, value);
        }
    }
}

impl<K: Into<Key>> FromIterator<(K, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(members: I) -> Self {
        Object::of(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl PartialEq for Object {
    /// Without regard to order.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}
