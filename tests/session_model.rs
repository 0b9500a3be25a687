//! A search through every order in which a session's messages can be lost, repeated and overtaken, its server crash and a
//! second client come in: what `brine::session` promises must hold in every state that can be reached.
//!
//! The server here is the real state machine with a store that forgets at a crash what was not durable. Requests are a set of
//! what was ever sent: each may arrive at any time, again, or never, so loss needs no event of its own. An answer belongs to
//! the call that asked, as answers in gRPC do: the client hears it at once, or its connection broke and it never does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken promise ends the search with the state that breaks it"
)]

use std::collections::{BTreeSet, HashSet, VecDeque};

use brine::session::{
    Admission, ChunkRange, Commit, Hello, Mode, Phase, Position, Refusal, Session, SessionId,
};

/// Rows of the data set: each chunk is one row.
const ROWS: u64 = 2;
const CRASHES: u8 = 2;
/// Attempts of the first client; the second one makes one.
const OPENS: u8 = 2;
/// Openings that the server sees, late and repeated ones among them: what bounds the search.
const EPOCHS: u64 = 4;

/// What clients ask of the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Request {
    Open { client: usize },
    Chunk { epoch: u64, row: u64 },
    Commit { client: usize, epoch: u64 },
}

/// What the server answers to whoever still listens.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Opened { client: usize, epoch: u64, committed: u64 },
    Acknowledged { epoch: u64, committed: u64 },
    Committed { client: usize },
    Fenced { epoch: u64 },
}

/// What a client knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Client {
    /// It has to open the session, and may still do it so many times.
    Lost {
        opens: u8,
    },
    Opening {
        opens: u8,
    },
    Sending {
        opens: u8,
        epoch: u64,
        next: u64,
        acknowledged: u64,
    },
    Done,
    /// A newer attempt holds the session.
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    /// In memory: lost in a crash.
    session: Option<Session>,
    /// On the disk, together with the rows.
    stored: Option<Session>,
    /// How often each row is stored below the durable position.
    rows: [u8; ROWS as usize],
    /// Rows that were taken but are not durable.
    buffered: Vec<u64>,
    network: BTreeSet<Request>,
    clients: [Client; 2],
    crashes: u8,
    /// Versions that were published.
    versions: u64,
    /// The most rows that were ever acknowledged to anybody.
    acknowledged: u64,
}

fn hash_of(row: u64) -> u128 {
    // Weights whose sums differ for every multiset of so few rows.
    1 << (8 * row)
}

fn fingerprint(position: Position) -> String {
    format!("{}-{:x}", position.rows, position.digest)
}

fn hello() -> Hello {
    let all = (0..ROWS).fold(Position::default(), |position, row| position.after(1, hash_of(row)));
    let fingerprint = fingerprint(all);
    let session = SessionId::derive(&fingerprint, "domain", "target", Mode::Pending, "");
    Hello { session, fingerprint, total_rows: ROWS, first_row: 0, mode: Mode::Pending }
}

impl World {
    fn start() -> Self {
        Self {
            session: None,
            stored: None,
            rows: [0; ROWS as usize],
            buffered: Vec::new(),
            network: BTreeSet::new(),
            clients: [Client::Lost { opens: OPENS }, Client::Lost { opens: 1 }],
            crashes: CRASHES,
            versions: 0,
            acknowledged: 0,
        }
    }

    fn next_worlds(&self) -> Vec<Self> {
        let mut next = Vec::new();
        for client in 0..self.clients.len() {
            next.extend(self.client_steps(client));
        }
        next.extend(self.network.iter().flat_map(|request| self.delivered(request)));
        next.extend(self.flushed());
        next.extend(self.crashed());
        next
    }

    fn with_client(&self, client: usize, state: Client, sent: Option<Request>) -> Self {
        let mut world = self.clone();
        world.clients[client] = state;
        world.network.extend(sent);
        world
    }

    fn client_steps(&self, client: usize) -> Vec<Self> {
        match self.clients[client] {
            Client::Lost { opens } if opens > 0 => {
                vec![self.with_client(
                    client,
                    Client::Opening { opens: opens - 1 },
                    Some(Request::Open { client }),
                )]
            }
            // A connection that breaks at any time: the outcome is unknown, so it is asked for.
            Client::Opening { opens } => vec![self.with_client(client, Client::Lost { opens }, None)],
            Client::Sending { opens, epoch, next, acknowledged } => {
                let mut worlds = vec![self.with_client(client, Client::Lost { opens }, None)];
                if next < ROWS {
                    let state = Client::Sending { opens, epoch, next: next + 1, acknowledged };
                    worlds.push(self.with_client(client, state, Some(Request::Chunk { epoch, row: next })));
                } else if acknowledged == ROWS {
                    let state = self.clients[client].clone();
                    worlds.push(self.with_client(client, state, Some(Request::Commit { client, epoch })));
                }
                worlds
            }
            Client::Lost { .. } | Client::Done | Client::Stopped => Vec::new(),
        }
    }

    /// The worlds after a request arrives: its answer is heard, or it is not. The request may arrive again.
    fn delivered(&self, request: &Request) -> Vec<Self> {
        let epoch = self.session.as_ref().map_or(0, Session::epoch);
        if matches!(request, Request::Open { .. }) && epoch == EPOCHS {
            return Vec::new();
        }
        self.answered(request)
    }

    fn answered(&self, request: &Request) -> Vec<Self> {
        let mut world = self.clone();
        let answer = match *request {
            Request::Open { client } => Some(world.open(client)),
            Request::Chunk { epoch, row } => world.chunk(epoch, row),
            Request::Commit { client, epoch } => world.commit(client, epoch),
        };
        world.with_answer(answer)
    }

    fn with_answer(self, answer: Option<Answer>) -> Vec<Self> {
        let heard = answer.and_then(|answer| {
            let mut world = self.clone();
            world.heard(answer).map(|()| world)
        });
        [self].into_iter().chain(heard).collect()
    }

    /// What a client makes of an answer; none if nobody waits for it.
    fn heard(&mut self, answer: Answer) -> Option<()> {
        match answer {
            Answer::Opened { client, epoch, committed } => self.opened(client, epoch, committed),
            Answer::Acknowledged { epoch, committed } => self.acknowledged(epoch, committed),
            Answer::Committed { client } => self.committed(client),
            Answer::Fenced { epoch } => self.fenced(epoch),
        }
    }

    fn open(&mut self, client: usize) -> Answer {
        let session = Session::open(self.session.take(), hello()).unwrap();
        self.buffered.clear();
        self.stored = Some(session.clone());
        let answer = match session.phase() {
            Phase::Finalized { .. } => Answer::Committed { client },
            _ => Answer::Opened { client, epoch: session.epoch(), committed: session.durable().rows },
        };
        self.session = Some(session);
        answer
    }

    fn chunk(&mut self, epoch: u64, row: u64) -> Option<Answer> {
        let session = self.session.as_mut()?;
        let range = ChunkRange { first_row: row, row_count: 1, digest: hash_of(row) };
        match session.take(epoch, range, Position { rows: 1, digest: hash_of(row) }) {
            Ok(Admission::Next) => {
                self.buffered.push(row);
                None
            }
            Ok(Admission::Duplicate) => {
                Some(Answer::Acknowledged { epoch, committed: session.durable().rows })
            }
            Err(Refusal::Fenced { .. }) => Some(Answer::Fenced { epoch }),
            Err(_) => None,
        }
    }

    fn commit(&mut self, client: usize, epoch: u64) -> Option<Answer> {
        let session = self.session.as_mut()?;
        match session.commit(epoch, &hello(), fingerprint) {
            Ok(Commit::Publish) => {
                self.versions += 1;
                session.finalize(self.versions);
                self.stored = Some(session.clone());
                Some(Answer::Committed { client })
            }
            Ok(Commit::Done { .. }) => Some(Answer::Committed { client }),
            Err(Refusal::Fenced { .. }) => Some(Answer::Fenced { epoch }),
            Err(_) => None,
        }
    }

    fn opened(&mut self, client: usize, epoch: u64, committed: u64) -> Option<()> {
        let Client::Opening { opens } = self.clients[client] else { return None };
        self.clients[client] = Client::Sending { opens, epoch, next: committed, acknowledged: committed };
        Some(())
    }

    fn acknowledged(&mut self, of: u64, committed: u64) -> Option<()> {
        let mut heard = false;
        for client in &mut self.clients {
            if let Client::Sending { epoch, acknowledged, .. } = client
                && *epoch == of
                && *acknowledged < committed
            {
                *acknowledged = committed;
                heard = true;
            }
        }
        self.acknowledged = self.acknowledged.max(committed);
        heard.then_some(())
    }

    fn committed(&mut self, client: usize) -> Option<()> {
        let waits = matches!(self.clients[client], Client::Opening { .. } | Client::Sending { .. });
        self.clients[client] = if waits { Client::Done } else { return None };
        Some(())
    }

    fn fenced(&mut self, of: u64) -> Option<()> {
        let fenced = |client: &&mut Client| matches!(client, Client::Sending { epoch, .. } if *epoch == of);
        *self.clients.iter_mut().find(fenced)? = Client::Stopped;
        Some(())
    }

    /// The server makes what it took durable, rows and position in one step, and says so.
    fn flushed(&self) -> Vec<Self> {
        let mut world = self.clone();
        let Some(session) = world.session.as_mut().filter(|_| !self.buffered.is_empty()) else {
            return Vec::new();
        };
        let (epoch, taken) = (session.epoch(), session.taken());
        session.secure(epoch, taken).unwrap();
        for row in world.buffered.drain(..) {
            world.rows[row as usize] += 1;
        }
        world.stored = Some(session.clone());
        world.with_answer(Some(Answer::Acknowledged { epoch, committed: taken.rows }))
    }

    fn crashed(&self) -> Option<Self> {
        let mut world = self.clone();
        world.crashes = self.crashes.checked_sub(1)?;
        world.buffered.clear();
        let again = |stored: Session| {
            let (hello, epoch, phase) = (stored.hello().clone(), stored.epoch(), stored.phase());
            Session::stored(hello, epoch, phase, stored.durable())
        };
        world.session = self.stored.clone().map(again);
        Some(world)
    }

    /// Without requests that can change nothing any more and that nobody waits for: those of attempts left behind.
    fn pruned(mut self) -> Self {
        let current = self.session.as_ref().map_or(0, Session::epoch);
        let finalized = matches!(self.session.as_ref().map(Session::phase), Some(Phase::Finalized { .. }));
        let waits = |epoch: u64| {
            self.clients
                .iter()
                .any(|client| matches!(client, Client::Sending { epoch: own, .. } if *own == epoch))
        };
        let mut network = std::mem::take(&mut self.network);
        network.retain(|request| match *request {
            Request::Open { .. } => current < EPOCHS,
            Request::Chunk { epoch, .. } => !finalized && (epoch >= current || waits(epoch)),
            Request::Commit { epoch, .. } => epoch >= current && !finalized || waits(epoch),
        });
        self.network = network;
        self
    }

    fn durable(&self) -> u64 {
        self.stored.as_ref().map_or(0, |stored| stored.durable().rows)
    }

    /// What must hold in every world.
    fn check(&self, before: &Self) {
        assert!(self.acknowledged <= self.durable(), "acknowledged rows are durable");
        assert!(before.durable() <= self.durable(), "the durable position never falls");
        let stored_once = |row: u64| self.rows[row as usize] == u8::from(row < self.durable());
        assert!((0..ROWS).all(stored_once), "every row below the position is stored once: {:?}", self.rows);
        let finalized = |world: &Self| {
            let phase = world.stored.as_ref().map(Session::phase);
            phase.filter(|phase| matches!(phase, Phase::Finalized { .. }))
        };
        assert!(self.versions <= 1, "one session is one version");
        assert!(self.versions == 0 || self.durable() == ROWS, "a version holds all rows");
        assert!(finalized(before).is_none() || finalized(before) == finalized(self), "finalized is for ever");
        let done = self.clients.contains(&Client::Done);
        assert!(!done || finalized(self).is_some(), "success is said of what is finalized");
        let epochs = |world: &Self| world.stored.as_ref().map_or(0, Session::epoch);
        assert!(epochs(before) <= epochs(self), "epochs rise");
    }
}

/// Every world that can be reached, with a check of every step.
fn search() -> HashSet<World> {
    let start = World::start();
    let mut seen = HashSet::from([start.clone()]);
    let mut waiting = VecDeque::from([start]);
    while let Some(world) = waiting.pop_front() {
        for next in world.next_worlds() {
            next.check(&world);
            let next = next.pruned();
            if seen.insert(next.clone()) {
                waiting.push_back(next);
            }
        }
    }
    seen
}

/// What happens if from now on nothing fails: every message arrives, and a client that lost its way may ask again.
fn ends_well(mut world: World) -> bool {
    world.crashes = 0;
    for client in &mut world.clients {
        if let Client::Lost { opens } | Client::Opening { opens } | Client::Sending { opens, .. } = client {
            *opens = (*opens).max(1);
        }
    }
    let Some(client) =
        world.clients.iter().position(|client| !matches!(client, Client::Done | Client::Stopped))
    else {
        return true;
    };
    // Its connection breaks once, and then holds.
    if let Client::Opening { opens } | Client::Sending { opens, .. } = world.clients[client] {
        world.clients[client] = Client::Lost { opens };
    }
    world.network.clear();
    for _ in 0..20 {
        if world.clients[client] == Client::Done {
            return true;
        }
        let goes_on = |next: &World| !matches!(next.clients[client], Client::Lost { .. });
        if let Some(next) = world.client_steps(client).into_iter().find(goes_on) {
            world = next;
        }
        for request in std::mem::take(&mut world.network) {
            world = world.answered(&request).pop().unwrap();
        }
        world = world.flushed().pop().unwrap_or(world);
    }
    false
}

#[test]
fn no_order_of_faults_loses_or_doubles_a_row() {
    let worlds = search();
    assert!(worlds.len() > 10_000, "the search saw {} worlds only", worlds.len());
    let finalized = worlds.iter().filter(|world| world.versions == 1).count();
    assert!(finalized > 100, "{finalized} worlds are finalized");
    let stuck = worlds.iter().find(|world| !ends_well((*world).clone()));
    assert!(stuck.is_none(), "stuck: {stuck:#?}");
}
