//! The data directory: private, and used by one process at a time.

use std::{
    fs::{DirBuilder, File, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::Context as _;
use crosswalk_runtime::settings::{Problem, SettingsError};

const LOCK_FILE: &str = "lock";

/// Only the owner: the sealing key lies there, and all records.
const PRIVATE: u32 = 0o700;

/// The data directory of this process, for as long as this is not dropped.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    /// The operating system takes the lock away when the process ends, however it ends.
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if it is not there, closes it to others, and claims it for this process.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        prepare(path).with_context(|| {
            format!(
                "the data directory {} cannot be used; choose another with --data-dir",
                path.display()
            )
        })?;
        let lock = File::create(path.join(LOCK_FILE)).context("the data directory cannot be written to")?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let expected = format!(
                    "{} is used by another process; stop that, or choose another directory",
                    path.display()
                );
                Err(SettingsError::new(vec![Problem::new("--data-dir", expected).set_by("the command line")]).into())
            }
            Err(TryLockError::Error(error)) => Err(error).context("the data directory cannot be locked"),
        }
    }
}

fn prepare(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE).create(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(PRIVATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_made_private_and_has_one_user_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        let first = DataDirectory::open(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, PRIVATE);
        let refused = DataDirectory::open(&path).unwrap_err();
        assert!(
            refused.to_string().contains("--data-dir"),
            "names the flag: {refused:#}"
        );
        drop(first);
        DataDirectory::open(&path).unwrap();
    }
}
