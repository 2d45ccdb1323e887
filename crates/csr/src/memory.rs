//! What values take in memory, roughly: enough for a budget of bytes.

/// The bytes that an allocation of so many octets takes, what the allocator adds included; of none there is none.
pub(crate) fn allocation(octets: usize) -> usize {
    if octets == 0 { 0 } else { octets + 16 }
}

/// The bytes that a list of texts holds beside itself.
pub(crate) fn texts(list: &Vec<String>) -> usize {
    let contents: usize = list.iter().map(|text| allocation(text.len())).sum();
    allocation(list.capacity() * size_of::<String>()) + contents
}

/// The bytes that the nodes of a `BTreeMap` take: each has room for eleven entries, and half of it is taken in a large map.
pub(crate) fn map_nodes<K, V>(entries: usize) -> usize {
    entries.div_ceil(6) * allocation(11 * (size_of::<K>() + size_of::<V>()) + 12)
}
