use std::ffi::OsStr;
use std::time::Duration;

use super::commands;
use super::content::{Content, PAGE};
use super::crash::{Policy, crash};
use super::tree::{Body, Folder, Node, Tree};
use super::{Disk, faults};
use crate::fuse::{NodeId, ROOT};

fn add(tree: &mut Tree, folder: NodeId, name: &str, body: Body) -> NodeId {
    let node = tree.add(Node::new(body, 0o600));
    set(tree, &[(folder, name, Some(node))]);
    node
}

fn set(tree: &mut Tree, names: &[(NodeId, &str, Option<NodeId>)]) {
    let names: Vec<_> = names
        .iter()
        .map(|(folder, name, node)| (*folder, OsStr::new(*name), *node))
        .collect();
    tree.rename(&names, Duration::ZERO);
}

fn file(data: &[u8]) -> Body {
    let mut content = Content::default();
    content.write(0, data);
    Body::File(content)
}

fn sync(tree: &mut Tree, node: NodeId) {
    let changes = tree.begin_sync(node);
    tree.make_durable(&changes);
    if let Some(content) = tree.nodes.get_mut(&node).and_then(Node::content) {
        let sync = content.begin_sync();
        content.finish(sync);
    }
}

fn read(tree: &mut Tree, folder: NodeId, name: &str) -> Option<Vec<u8>> {
    let number = tree.find(folder, OsStr::new(name))?;
    let content = tree.nodes.get_mut(&number)?.content()?;
    Some(content.read(0, usize::MAX >> 1))
}

#[test]
fn a_name_needs_its_folder_and_data_need_the_file_synced() {
    for (syncs_file, syncs_folder, left) in [
        (true, true, Some(&b"mail"[..])),
        (true, false, None),
        (false, true, Some(b"")),
    ] {
        let mut tree = Tree::default();
        let node = add(&mut tree, ROOT, "a", file(b"mail"));
        if syncs_file {
            sync(&mut tree, node);
        }
        if syncs_folder {
            sync(&mut tree, ROOT);
        }
        crash(&mut tree, Policy::Nothing, 0);
        assert_eq!(read(&mut tree, ROOT, "a").as_deref(), left);
    }
}

#[test]
fn a_renaming_is_one_change_of_two_folders() {
    for synced in ["from", "to"] {
        let mut tree = Tree::default();
        let from = add(&mut tree, ROOT, "from", Body::Folder(Folder::default()));
        let to = add(&mut tree, ROOT, "to", Body::Folder(Folder::default()));
        sync(&mut tree, ROOT);
        let node = add(&mut tree, from, "a", file(b"mail"));
        sync(&mut tree, node);
        set(&mut tree, &[(to, "b", Some(node)), (from, "a", None)]);
        sync(&mut tree, if synced == "from" { from } else { to });
        crash(&mut tree, Policy::Nothing, 0);
        let folder = |name| tree.find(ROOT, OsStr::new(name)).unwrap();
        let (from, to) = (folder("from"), folder("to"));
        assert_eq!(read(&mut tree, from, "a"), None);
        assert_eq!(read(&mut tree, to, "b").as_deref(), Some(&b"mail"[..]));
    }
}

#[test]
fn a_folder_that_is_not_synced_in_its_own_takes_its_files_with_it() {
    let mut tree = Tree::default();
    let folder = add(&mut tree, ROOT, "folder", Body::Folder(Folder::default()));
    let node = add(&mut tree, folder, "a", file(b"mail"));
    sync(&mut tree, node);
    sync(&mut tree, folder);
    crash(&mut tree, Policy::Nothing, 0);
    assert_eq!(tree.nodes.len(), 1);
}

#[test]
fn data_of_a_failed_sync_is_not_written_again() {
    let mut tree = Tree::default();
    let node = add(&mut tree, ROOT, "a", file(b"mail"));
    sync(&mut tree, ROOT);
    drop(
        tree.nodes
            .get_mut(&node)
            .unwrap()
            .content()
            .unwrap()
            .begin_sync(),
    );
    sync(&mut tree, node);
    crash(&mut tree, Policy::Everything, 0);
    // But it is as long as it was.
    assert_eq!(
        read(&mut tree, ROOT, "a").as_deref(),
        Some(&b"\0\0\0\0"[..])
    );
}

#[test]
fn a_random_cut_tears_files() {
    let torn = (0..100).filter(|seed| {
        let mut tree = Tree::default();
        add(&mut tree, ROOT, "a", file(&[b'x'; 3 * PAGE]));
        sync(&mut tree, ROOT);
        crash(&mut tree, Policy::Random, *seed);
        let data = read(&mut tree, ROOT, "a").unwrap();
        data.len() == 3 * PAGE && data.contains(&0)
    });
    assert!(torn.count() > 10);
}

#[test]
fn data_cut_off_by_a_new_size_does_not_come_back() {
    let mut content = Content::default();
    content.write(0, &[b'x'; 2 * PAGE]);
    content.set_size(10);
    content.set_size(3 * PAGE as u64);
    assert_eq!(content.read(8, 4), b"xx\0\0");
    assert_eq!(content.read(PAGE as u64, 4), b"\0\0\0\0");
    let sync = content.begin_sync();
    content.finish(sync);
    assert!(content.is_durable());
}

#[test]
fn nodes_that_nobody_reaches_are_forgotten() {
    let mut tree = Tree::default();
    let node = add(&mut tree, ROOT, "a", file(b"mail"));
    sync(&mut tree, ROOT);
    set(&mut tree, &[(ROOT, "a", None)]);
    tree.collect();
    assert!(tree.nodes.contains_key(&node), "a power cut brings it back");
    sync(&mut tree, ROOT);
    tree.collect();
    assert!(!tree.nodes.contains_key(&node));
}

#[test]
fn faults_are_of_some_calls_of_some_files() {
    let disk = Disk::new(&["no-hard-links"]).unwrap();
    assert!(!disk.has_hard_links);
    commands::answer(
        &disk,
        &["fault", "write", "EIO", "after=1", "times=2", "except=redb"],
    )
    .unwrap();
    let mut state = disk.state();
    let mut fails = |name| {
        state
            .faults
            .check(faults::Call::Write, OsStr::new(name))
            .is_err()
    };
    assert_eq!(
        ["a", "a", "keys.redb", "b", "a"].map(&mut fails),
        [false, true, false, true, false]
    );
    drop(state);
    assert_eq!(commands::answer(&disk, &["count", "write"]).unwrap(), "5");
    assert!(commands::answer(&disk, &["fault", "write", "EWHAT"]).is_err());
    assert!(Disk::new(&["no-such"]).is_err());
}
