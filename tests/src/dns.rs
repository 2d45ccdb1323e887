//! A name server that says what a test wants, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A name server on UDP. It answers for as long as the program runs, as the address is not another's before.
#[derive(Clone, Debug)]
pub struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

/// What it says of a name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Answer {
    /// There is no such name.
    #[default]
    NoSuchName,
    /// It has these addresses; none of a kind is an answer too.
    Addresses(Vec<IpAddr>),
    /// It has these addresses of version 4; of version 6 the server does not know.
    OnlyOfVersion4(Vec<IpAddr>),
    /// Somebody else knows.
    Referral,
    /// The server has failed.
    Failure,
    /// The server does not want to say.
    Refusal,
    /// Nothing that can be read.
    Garbage,
    /// No word.
    Silence,
}

#[derive(Debug, Default)]
struct Zone {
    answers: BTreeMap<String, Answer>,
    asked: Vec<String>,
}

/// A question in a message: what it is about, and where it ends.
struct Question {
    name: String,
    kind: u16,
    end: usize,
}

impl NameServer {
    /// One at this address, on any port, in the network of the calling thread.
    ///
    /// # Errors
    /// When it cannot be there.
    pub fn start(at: IpAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((at, 0))?;
        let this = Self { address: socket.local_addr()?, zone: Arc::default() };
        let server = this.clone();
        thread::Builder::new().name("name server".to_owned()).spawn(move || server.serve(&socket))?;
        Ok(this)
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says this of a name from now on. Of others it says that there is no such name.
    pub fn says(&self, name: &str, answer: Answer) {
        self.zone().answers.insert(name.to_owned(), answer);
    }

    /// The names that it was asked about, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.zone().asked.clone()
    }

    fn zone(&self) -> MutexGuard<'_, Zone> {
        self.zone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, socket: &UdpSocket) {
        let mut message = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut message) {
            let query = &message[..length];
            let Some(question) = question(query) else { continue };
            if let Some(answer) = reply(query, &question, &self.answer(&question.name)) {
                // Whoever does not wait any more needs no answer.
                let _ = socket.send_to(&answer, from);
            }
        }
    }

    fn answer(&self, name: &str) -> Answer {
        let mut zone = self.zone();
        zone.asked.push(name.to_owned());
        zone.answers.get(name).cloned().unwrap_or_default()
    }
}

/// The one question of a query (RFC 1035 §4.1.2).
fn question(query: &[u8]) -> Option<Question> {
    let (mut labels, mut at) = (Vec::new(), HEADER);
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    Some(Question { name: labels.join("."), kind, end: at + 4 })
}

/// What is sent back, if anything is.
fn reply(query: &[u8], question: &Question, answer: &Answer) -> Option<Vec<u8>> {
    let of_kind = |addresses: &[IpAddr]| {
        let fits =
            |address: &&IpAddr| if address.is_ipv4() { question.kind == A } else { question.kind == AAAA };
        addresses.iter().filter(fits).map(|address| (question.kind, octets(*address))).collect()
    };
    let message =
        |code, answers: Vec<_>, authorities| Some(message(query, question, (code, answers, authorities)));
    match answer {
        Answer::NoSuchName => message(NAME_ERROR, Vec::new(), Vec::new()),
        Answer::Addresses(addresses) => message(NO_ERROR, of_kind(addresses), Vec::new()),
        Answer::OnlyOfVersion4(addresses) if question.kind == A => {
            message(NO_ERROR, of_kind(addresses), Vec::new())
        }
        Answer::Referral => message(NO_ERROR, Vec::new(), vec![(NS, b"\x02ns\x07example\0".to_vec())]),
        Answer::OnlyOfVersion4(_) | Answer::Failure => message(SERVER_FAILURE, Vec::new(), Vec::new()),
        Answer::Refusal => message(REFUSED, Vec::new(), Vec::new()),
        Answer::Garbage => Some([&query[..2], &[0xff; 40]].concat()),
        Answer::Silence => None,
    }
}

type Record = (u16, Vec<u8>);

/// A response with these records about the name asked for.
fn message(query: &[u8], question: &Question, what: (u8, Vec<Record>, Vec<Record>)) -> Vec<u8> {
    let (code, answers, authorities) = what;
    let mut message = query[..2].to_vec();
    // A response, recursion desired and available.
    message.extend([0x81, 0x80 | code]);
    for count in [1, answers.len(), authorities.len(), 0] {
        message.extend((count as u16).to_be_bytes());
    }
    message.extend(&query[HEADER..question.end]);
    for (kind, data) in answers.iter().chain(&authorities) {
        // The name of the question, by its place; class IN; good for a minute.
        message.extend([0xc0, HEADER as u8]);
        message.extend(kind.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 60]);
        message.extend((data.len() as u16).to_be_bytes());
        message.extend(data);
    }
    message
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Length of a message's header (RFC 1035 §4.1.1).
const HEADER: usize = 12;

// Kinds of records (RFC 1035 §3.2.2, RFC 3596 §2.1).
const A: u16 = 1;
const NS: u16 = 2;
const AAAA: u16 = 28;

// Response codes (RFC 1035 §4.1.1).
const NO_ERROR: u8 = 0;
const SERVER_FAILURE: u8 = 2;
const NAME_ERROR: u8 = 3;
const REFUSED: u8 = 5;
