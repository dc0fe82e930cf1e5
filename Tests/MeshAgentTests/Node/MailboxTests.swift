import MeshBase
import MeshGossip
import MeshNode
import Synchronization
import Testing

@testable import MeshAgent

/// Who waits for whom before the control plane.
@Suite("The mailbox of the control plane", .timeLimit(.minutes(1)))
struct MailboxTests {
    private let box = Mailbox(capacity: 8_192)
    private let flooder = ConnectionID(1)
    private let peer = ConnectionID(2)
    /// Each document here counts two kibibytes.
    private let most = DocumentShare.aheadMost / 2_048

    private func document(_ number: Int, bytes: Int = 1_024) -> UnreadDocument {
        UnreadDocument(bytes: [UInt8(number % 251)] + [UInt8](repeating: 0, count: bytes - 1), stage: .link)
    }

    /// What a batch has besides its beginning.
    private func rest() -> [ControlLetter] {
        var letters: [ControlLetter] = []
        while let letter = box.more() { letters.append(letter) }
        return letters
    }

    /// All of a batch, as far as it has come.
    private func wholeBatch() async -> [ControlLetter]? {
        await box.take().map { $0 + rest() }
    }

    /// The place of the first letter that is sought, in batches and letters.
    private func place(of sought: ControlLetter) async -> (batch: Int, letter: Int)? {
        for batch in 0..<1_000 {
            guard let letters = await wholeBatch() else { return nil }
            if let letter = letters.firstIndex(of: sought) { return (batch, letter) }
        }
        return nil
    }

    @Test("takes one turn of who floods before another peer's document, and the rest later")
    func turns() async throws {
        for number in 0..<most { #expect(box.post(document(number), of: flooder) != .refused) }
        let modest = document(7)
        #expect(box.post(modest, of: peer) == .taken)
        let place = try #require(await place(of: .document(peer, modest)))
        // A turn of 4 KiB, of which each takes two.
        #expect(place == (batch: 0, letter: 2))
        box.close()
        var left = 0
        while let letters = await wholeBatch() {
            // A peer's document that comes now waits for no more than this.
            #expect(letters.count <= DocumentShare.batchMost / 2_048)
            left += letters.count
        }
        #expect(left == most - 2)
    }

    @Test("lets a peer's document into the batch that is worked on, which ends with it")
    func meanwhile() async {
        for number in 0..<100 { #expect(box.post(document(number), of: flooder) != .refused) }
        #expect(await box.take()?.count == 1)
        let modest = document(7)
        #expect(box.post(modest, of: peer) == .taken)
        #expect(box.more() == .document(flooder, document(1)))
        #expect(box.more() == .document(peer, modest))
        #expect(box.more() == nil)
    }

    @Test("ends a batch of one that floods for what the node has of its own")
    func ownMeanwhile() async {
        for number in 0..<100 { #expect(box.post(document(number), of: flooder) != .refused) }
        #expect(await box.take()?.count == 1)
        box.post(.timeReached)
        #expect(box.more() != nil && box.more() == nil)
        #expect(await box.take()?.first == .input(.timeReached))
    }

    @Test(
        "says when a connection is 1 MiB ahead, takes the others' as before, and tells when half is taken up")
    func ahead() {
        let told = Mutex<[ConnectionID]>([])
        box.onRoom { id in told.withLock { $0.append(id) } }
        for number in 1..<most { #expect(box.post(document(number), of: flooder) == .taken) }
        #expect(box.post(document(0), of: flooder) == .isAhead)
        #expect(box.post(document(0), of: peer) == .taken)
        var left = most
        while left > most / 2 {
            #expect(told.withLock { $0 } == [])
            left -= (box.takeNow() + rest()).filter { $0.connection == flooder }.count
        }
        #expect(told.withLock { $0 } == [flooder])
        while !(box.takeNow() + rest()).isEmpty {}
        #expect(told.withLock { $0 } == [flooder])
        #expect(box.post(document(0), of: flooder) == .taken)
    }

    /// All that is in the box.
    private func all() -> [ControlLetter] {
        var found: [ControlLetter] = []
        while true {
            let batch = box.takeNow() + rest()
            guard !batch.isEmpty else { return found }
            found += batch
        }
    }

    private func documents(of connection: ConnectionID, among letters: [ControlLetter]) -> Int {
        letters.count { if case .document(connection, _) = $0 { true } else { false } }
    }

    @Test(
        "keeps of connections that ended twice what one may be ahead, and of the dearest no document above that"
    )
    func ended() {
        let ids = (1...4).map { ConnectionID($0) }
        let left = [most, most * 3 / 4, most / 2, 1]
        for (id, count) in zip(ids, left) {
            for number in 0..<count { #expect(box.post(document(number), of: id) != .refused) }
        }
        for id in ids { box.post(.connectionClosed(id)) }
        let found = all()
        #expect(ids.map { documents(of: $0, among: found) } == [0, most * 3 / 4, most / 2, 1])
        #expect(found.count { if case .input(.connectionClosed) = $0 { true } else { false } } == 4)
        // That was taken up; and one that ends where it may be ahead no more loses nothing by itself.
        for number in 0..<most { #expect(box.post(document(number), of: flooder) != .refused) }
        box.post(.connectionClosed(flooder))
        #expect(documents(of: flooder, among: all()) == most)
    }

    @Test("keeps what one connection brings in its order, its end last")
    func order() async {
        var sent: [ControlLetter] = []
        for number in 0..<20 {
            let letter = document(number, bytes: 1 + 4_000 * (number % 3))
            #expect(box.post(letter, of: peer) == .taken)
            sent.append(.document(peer, letter))
            #expect(box.post(document(number), of: flooder) != .refused)
        }
        box.post(.connectionClosed(peer))
        sent.append(.input(.connectionClosed(peer)))
        box.close()
        var found: [ControlLetter] = []
        while let letters = await wholeBatch() {
            found += letters.filter { letter in
                switch letter {
                case .document(let id, _): id == peer
                case .input(let input): input.connection == peer
                }
            }
        }
        #expect(found == sent)
    }

    @Test("drops what a peer's pings tell behind sixty-four letters of it, and none of another's")
    func pings() {
        for _ in 0..<Mailbox.droppableAheadMost {
            #expect(box.post(.ponged(flooder, roundTrip: .zero), .droppable))
        }
        #expect(!box.post(.ponged(flooder, roundTrip: .zero), .droppable))
        // But one sign of life: who has much to say is not silent.
        #expect(box.post(.heard(flooder), .droppable) && !box.post(.heard(flooder), .droppable))
        #expect(box.post(.connectionClosed(flooder)))
        #expect(box.post(.ponged(peer, roundTrip: .zero), .droppable))
        #expect(box.post(.roomMeasured(bytes: 1), .droppable))
        while !(box.takeNow() + rest()).isEmpty {}
        #expect(box.post(.heard(flooder), .droppable))
    }

    @Test("takes the node's own before all that peers sent")
    func own() async {
        for number in 0..<100 { #expect(box.post(document(number), of: flooder) != .refused) }
        box.post(.timeReached)
        #expect(await box.take()?.first == .input(.timeReached))
    }

    @Test("is empty for its reader once it is closed, and takes nothing more")
    func closed() async {
        box.post(.timeReached)
        box.close()
        #expect(!box.post(.timeReached) && box.post(document(0), of: peer) == .refused)
        #expect(await box.take() == [.input(.timeReached)])
        #expect(await box.take() == nil)
    }
}
