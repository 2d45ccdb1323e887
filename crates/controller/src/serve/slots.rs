//! How many connections there may be at once, and how many from one caller.
//!
//! The port is open to everybody who can reach it. A caller who opens connections and says nothing must not keep the kubelet
//! from its probes: each address has its share, and callers on this host have slots that nobody else can take.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Connections at once from other hosts.
const REMOTE: usize = 64;
/// Connections at once from this host, beside those.
const LOOPBACK: usize = 16;
/// Connections at once from one address: a few probes and scrapes at the same moment.
const PER_ADDRESS: usize = 8;

/// The slots, and who has them.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection's slot, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    caller: IpAddr,
}

impl Slots {
    /// A slot for a connection from `peer`, where one is left for it.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Slot> {
        let caller = caller(peer);
        let limit = if caller.is_loopback() { LOOPBACK } else { REMOTE };
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&caller).copied().unwrap_or_default();
        let alike = taken.iter().filter(|(other, _)| other.is_loopback() == caller.is_loopback());
        let all: usize = alike.map(|(_, slots)| slots).sum();
        if own >= PER_ADDRESS || all >= limit {
            return None;
        }
        taken.insert(caller, own + 1);
        Some(Slot { slots: self.clone(), caller })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.caller) {
            Some(slots) if *slots > 1 => *slots -= 1,
            _ => drop(taken.remove(&self.caller)),
        }
    }
}

/// Who counts as one caller: an IPv4 address, or an IPv6 network of 64 bits, in which a single host has any address it likes.
fn caller(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(slots: &Slots, peers: impl IntoIterator<Item = String>) -> Vec<Slot> {
        peers.into_iter().filter_map(|peer| slots.take(peer.parse().unwrap())).collect()
    }

    #[test]
    fn one_caller_has_its_share_however_it_writes_its_address() {
        let one = |text: &str| vec![text.to_owned(); 100];
        let rows = [
            ("IPv4", one("192.0.2.1")),
            ("IPv4 in IPv6", [one("192.0.2.1"), one("::ffff:192.0.2.1")].concat()),
            ("one IPv6 network", (0..100).map(|host| format!("2001:db8::{host}")).collect()),
            ("loopback", one("127.0.0.1")),
        ];
        for (what, peers) in rows {
            assert_eq!(taken(&Slots::default(), peers).len(), PER_ADDRESS, "{what}");
        }
    }

    #[test]
    fn callers_on_this_host_and_others_do_not_share_their_slots() {
        let slots = Slots::default();
        let remote = taken(&slots, (0..100).map(|index| format!("192.0.2.{index}")));
        assert_eq!(remote.len(), REMOTE);
        let local = taken(&slots, (0..100).map(|index| format!("127.0.0.{index}")));
        assert_eq!(local.len(), LOOPBACK);
    }

    #[test]
    fn a_slot_is_free_again_when_its_connection_has_ended() {
        let slots = Slots::default();
        let mut held = taken(&slots, vec!["192.0.2.1".to_owned(); 100]);
        held.pop();
        let again = slots.take(IpAddr::from([192, 0, 2, 1]));
        assert!(again.is_some());
        drop((held, again));
        assert!(slots.0.lock().unwrap().is_empty(), "nothing is remembered of those who left");
    }
}
