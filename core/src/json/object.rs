//! A JSON object keeps its members in the order of the document.
//!
//! It is a list, because nearly every object has a handful of members. Comparing a few short names
//! is cheaper than hashing one. An object of many members has an index beside the list, so that no
//! document costs more than its length.

use std::collections::HashMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::key::Key;
use super::value::Value;
use super::write::to_vec;

/// The index of each name. It is behind a pointer, so that an object stays as small as a list.
#[derive(Clone)]
struct Index(HashMap<Key, usize>);

/// The number of members from which an object has an index.
const MANY: usize = 64;

/// A JSON object in the order of its document.
#[derive(Clone, Default)]
pub struct Object {
    members: Vec<(Key, Value)>,
    /// Where each name is. It is made on demand and dropped when members move.
    index: Option<Box<Index>>,
}

impl Object {
    /// Makes an object without members.
    #[must_use]
    pub fn new() -> Self {
        Object::default()
    }

    /// Makes an object with room for so many members.
    #[must_use]
    pub fn with_capacity(members: usize) -> Self {
        Object::unique(Vec::with_capacity(members))
    }

    /// Makes an object of members with different names.
    pub(crate) fn unique(members: Vec<(Key, Value)>) -> Self {
        Object { members, index: None }
    }

    /// Makes an object of members in the order of a document. If a name repeats, the last value
    /// counts, in the place of the first.
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

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether the object has no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.find(name).map(|at| &self.members[at].1)
    }

    /// The value of a member, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.prepare();
        self.find(name).map(|at| &mut self.members[at].1)
    }

    /// Whether the object has a member with this name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Sets a member, in its place if it exists, otherwise at the end. Returns the old value.
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

    /// Removes a member. The others keep their order.
    pub fn shift_remove(&mut self, name: &str) -> Option<Value> {
        self.shift_remove_entry(name).map(|(_, value)| value)
    }

    /// Removes a member if its value is as wanted.
    pub fn take_if(&mut self, name: &str, wanted: impl FnOnce(&Value) -> bool) -> Option<Value> {
        let at = self.find(name).filter(|at| wanted(&self.members[*at].1))?;
        self.forget();
        Some(self.members.remove(at).1)
    }

    /// Removes a member and returns it with its name.
    pub fn shift_remove_entry(&mut self, name: &str) -> Option<(Key, Value)> {
        let at = self.find(name)?;
        self.forget();
        Some(self.members.remove(at))
    }

    /// Keeps the members for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Key, &mut Value) -> bool) {
        self.forget();
        self.members.retain_mut(|(name, value)| keep(name, value));
    }

    /// The members.
    pub fn iter(&self) -> Iter<'_> {
        self.members.iter().map(|(name, value)| (name, value))
    }

    /// The members, with values to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Value)> {
        self.members.iter_mut().map(|(name, value)| (&*name, value))
    }

    /// Replaces each text in its values, at any depth, for which `by` has another one.
    pub(crate) fn each_text(&mut self, by: &mut impl FnMut(&str) -> Option<String>) {
        self.members.iter_mut().for_each(|(_, value)| value.each_text(by));
    }

    /// Replaces each name in it, at any depth, for which `by` has another one.
    pub(crate) fn each_name(&mut self, by: &mut impl FnMut(&str) -> Option<String>) {
        let mut renamed = false;
        for (name, value) in &mut self.members {
            if let Some(other) = by(name) {
                *name = Key::from(other);
                renamed = true;
            }
            value.each_name(by);
        }
        if renamed {
            *self = Object::of(std::mem::take(&mut self.members));
        }
    }

    /// The names.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.members.iter().map(|(name, _)| name)
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.members.iter().map(|(_, value)| value)
    }

    /// The number of values in it, itself included.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.values().fold(1, |nodes, value| nodes + value.nodes())
    }

    /// Compact JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_vec(self, self.length())
    }

    /// The approximate length of the object's JSON.
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

    /// Drops the index, because members move. Nearly no object has one.
    #[inline]
    fn forget(&mut self) {
        if self.index.is_some() {
            self.index = None;
        }
    }

    /// Makes the index before a change, because many changes may follow.
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
    /// Compares without regard to order.
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
