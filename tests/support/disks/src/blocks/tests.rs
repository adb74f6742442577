use super::record::{Policy, Record, SECTOR};

fn sectors(letter: u8, count: usize) -> Vec<u8> {
    vec![letter; count * SECTOR]
}

#[test]
fn a_cut_keeps_what_was_flushed_and_nothing_else_for_certain() {
    let mut record = Record::default();
    record.write(0, &sectors(b'a', 2));
    record.flush();
    let before = record.now();
    record.write(SECTOR as u64, &sectors(b'b', 2));
    let cut = |instant, policy| record.cut(instant, policy, 0).read(&record, 0, 3 * SECTOR);
    let old = [sectors(b'a', 2), sectors(0, 1)].concat();
    let new = [sectors(b'a', 1), sectors(b'b', 2)].concat();
    assert_eq!(cut(before, Policy::Everything), old);
    assert_eq!(cut(record.now(), Policy::Nothing), old);
    assert_eq!(cut(record.now(), Policy::Everything), new);
    assert_eq!(cut(0, Policy::Everything), sectors(0, 3));
    assert_eq!(record.read(0, 3 * SECTOR), new);
    assert_eq!(record.flushes(0..record.now()), 1);
}

#[test]
fn writes_are_whole_or_torn_at_the_ends_of_sectors() {
    let mut record = Record::default();
    for number in 0..64 {
        record.write(number * 16 * SECTOR as u64, &sectors(b'a', 16));
    }
    for (policy, group) in [
        (Policy::Writes, 16),
        (Policy::Sectors(1), 1),
        (Policy::Sectors(8), 8),
    ] {
        let left = record
            .cut(record.now(), policy, 1)
            .read(&record, 0, 64 * 16 * SECTOR);
        let kinds = |size: usize| {
            let is_one = |part: &[u8]| part.iter().all(|octet| *octet == part[0]);
            left.chunks_exact(size * SECTOR).all(is_one)
        };
        assert!(kinds(group), "{policy:?}");
        assert!(!kinds(group * 2), "{policy:?}");
    }
}

#[test]
fn a_state_may_be_written_and_the_record_stays() {
    let mut record = Record::default();
    record.write(0, &sectors(b'a', 1));
    let mut state = record.cut(1, Policy::Everything, 0);
    state.write(&record, 10, b"xyz");
    assert_eq!(state.read(&record, 9, 5), b"axyza");
    assert_eq!(record.read(9, 5), b"aaaaa");
}
