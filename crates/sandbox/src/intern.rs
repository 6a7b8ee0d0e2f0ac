//! Names that live as long as the process.

use std::collections::BTreeSet;

use parking_lot::Mutex;

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The same text, kept for the life of the process. For names of tables, columns and resources: they are few, most are
/// literals in this program, and all of the code compares and copies them as such. Those that are declared at run time
/// come only from whoever runs the sandbox.
pub(crate) fn intern(text: &str) -> &'static str {
    let mut names = NAMES.lock();
    if let Some(name) = names.get(text) {
        return name;
    }
    let name: &'static str = Box::leak(text.into());
    names.insert(name);
    name
}
