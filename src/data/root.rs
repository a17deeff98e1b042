//! The folders that a spec's data may come from: the data root, which paths start from, and others that the command
//! line names. Paths in a spec or a table may not leave them, since a spec from elsewhere must not read any file. Links
//! inside them work, as DVC, git-annex and `DataLad` make them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::{Error, Result, placeholder};

/// Where data may lie, as a command line says.
#[derive(Debug, Clone, Default)]
pub struct Roots {
    /// Folders, of which the first is where the spec's paths start; the spec's own folder if there is none.
    pub folders: Vec<PathBuf>,
    /// Whether links may lead out of them.
    pub follow_links: bool,
}

impl Roots {
    /// One folder, or the spec's own.
    pub fn at(root: Option<&Path>) -> Self {
        Self { folders: root.map(Path::to_path_buf).into_iter().collect(), follow_links: false }
    }

    /// The folder where the paths of a spec start.
    pub(super) fn open(&self, spec: &Path) -> Result<Folder> {
        let beside = spec.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let start = self.folders.first().map_or(beside, PathBuf::as_path);
        let remedy = "name the folder that the spec's paths start from with --data-root or MEDCERT_DATA";
        let read = |folder: &Path| {
            let real = folder.canonicalize().map_err(|why| Error::unreadable(folder, &why, remedy))?;
            Ok(Wall { plain: normal(folder), real })
        };
        let others = self.folders.iter().skip(1).map(|folder| read(folder));
        let walls = std::iter::once(read(start)).chain(others).collect::<Result<_>>()?;
        let walls = Rc::new(Walls { walls, follow_links: self.follow_links });
        Ok(Folder::new(start.to_path_buf(), walls))
    }
}

/// What no path leaves.
struct Walls {
    walls: Vec<Wall>,
    follow_links: bool,
}

struct Wall {
    /// As it was named, from the file system's root and without `..`.
    plain: PathBuf,
    /// Without links.
    real: PathBuf,
}

/// A folder within the walls, from which relative paths start.
pub(super) struct Folder {
    path: Arc<PathBuf>,
    walls: Rc<Walls>,
    /// Folders that were looked up, and whether each really lies within: a table names thousands of files of each.
    known: RefCell<HashMap<PathBuf, bool>>,
}

impl Folder {
    fn new(path: PathBuf, walls: Rc<Walls>) -> Self {
        Self { path: Arc::new(path), walls, known: RefCell::default() }
    }

    /// Whether a path is a plain file, no link, in a folder that really lies within the walls.
    fn is_plainly_within(&self, whole: &Path) -> bool {
        let (Some(folder), Some(_)) = (whole.parent(), whole.file_name()) else { return false };
        let known = self.known.borrow().get(folder).copied(); // the borrow ends here, before the map is changed
        let is_within = known.unwrap_or_else(|| {
            let is_within = folder
                .canonicalize()
                .is_ok_and(|real| self.walls.walls.iter().any(|wall| real.starts_with(&wall.real)));
            self.known.borrow_mut().insert(folder.to_path_buf(), is_within);
            is_within
        });
        is_within && whole.symlink_metadata().is_ok_and(|about| about.is_file())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its path, for the images in it to share.
    pub(super) fn shared(&self) -> Arc<PathBuf> {
        Arc::clone(&self.path)
    }

    /// A folder within.
    pub(super) fn folder(&self, path: &Path) -> Result<Self> {
        Ok(Self::new(self.file(path)?, Rc::clone(&self.walls)))
    }

    /// The folder of a file that was found within.
    pub(super) fn beside(&self, file: &Path) -> Self {
        Self::new(file.parent().unwrap_or(Path::new(".")).to_path_buf(), Rc::clone(&self.walls))
    }

    /// A file within. A path may be absolute.
    pub(super) fn file(&self, path: &Path) -> Result<PathBuf> {
        let whole = self.path.join(path);
        if self.is_plainly_within(&whole) {
            return Ok(whole);
        }
        let plain = normal(&whole);
        let Walls { walls, follow_links } = &*self.walls;
        let is_named_within = walls.iter().any(|wall| plain.starts_with(&wall.plain));
        let root = walls.first().map_or(self.path(), |wall| wall.plain.as_path()).display();
        let outside = || {
            Error::Input(format!(
                "{} is outside the data root {root}; name the folder above both with --data-root",
                path.display()
            ))
        };
        let remedy = "check its name; --data-root or MEDCERT_DATA says where the spec's paths start";
        let real = match whole.canonicalize() {
            Ok(real) => real,
            // whether a file outside is there is nobody's business
            Err(_) if !is_named_within => return Err(outside()),
            Err(why) => {
                return Err(match placeholder::absent(&whole) {
                    Some(found) => Error::elsewhere(&whole, &found),
                    None => Error::unreadable(&whole, &why, remedy),
                });
            }
        };
        if walls.iter().any(|wall| real.starts_with(&wall.real)) || (*follow_links && is_named_within) {
            return Ok(whole);
        }
        if !is_named_within {
            return Err(outside());
        }
        let target = real.parent().unwrap_or(&real).display();
        Err(Error::Input(format!(
            "{} is a link that leaves the data root {root}; allow its target with a second `--data-root {target}`, or all \
             such links with `--follow-links`",
            whole.display()
        )))
    }
}

/// A path from the file system's root, with `..` resolved by name alone.
fn normal(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut normal = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => normal.push(part),
        }
    }
    normal
}
