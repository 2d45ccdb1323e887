//! Ranges of addresses, in the one form in which addresses are compared: IPv4 never as IPv6.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::mistake::Fault;
use crate::reader::{Item, Reader};

const EXPECTED: &str = "a range of addresses such as 10.0.0.0/8 or fd00::/8";

/// The ranges of a list.
pub(crate) fn read_all(item: &Item<'_>, reader: &mut Reader) -> Vec<IpNet> {
    let items = item.list(reader, "ranges of addresses");
    items.iter().filter_map(|item| read(item, reader)).collect()
}

/// A range as flags have it, where Go's `net.ParseCIDR` drops the bits behind the prefix.
#[must_use]
pub fn from_text(text: &str) -> Option<IpNet> {
    text.parse().ok().map(|range| canonical(range).trunc())
}

fn read(item: &Item<'_>, reader: &mut Reader) -> Option<IpNet> {
    let text = item.text(reader, EXPECTED)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        item.unexpected(reader, format!("a range; for one address, {}", IpNet::from(address.to_canonical())));
        return None;
    }
    let Ok(range) = text.parse() else {
        item.unexpected(reader, EXPECTED);
        return None;
    };
    let range = canonical(range);
    if range.addr() != range.network() {
        item.wrong(reader, Fault::HostBits { found: text.to_owned(), canonical: range.trunc() });
        return None;
    }
    Some(range)
}

/// A range of IPv4 addresses that are written as IPv6 ones, as what it is.
pub(crate) fn canonical(range: IpNet) -> IpNet {
    let IpNet::V6(v6) = range else {
        return range;
    };
    let bits = v6.prefix_len().checked_sub(MAPPED_BITS);
    let mapped = bits.zip(v6.addr().to_ipv4_mapped());
    let v4 = mapped.and_then(|(bits, address)| Ipv4Net::new(address, bits).ok());
    v4.map_or(range, IpNet::V4)
}

/// Length of the prefix that IPv4 addresses have among IPv6 ones (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = (Ipv6Addr::BITS - u32::BITS) as u8;
