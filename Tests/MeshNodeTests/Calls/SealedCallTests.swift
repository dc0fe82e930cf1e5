import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Calls under agreements that want payloads sealed")
struct SealedCallTests {
    private let old = EncryptionKey([UInt8](repeating: 1, count: 32))!
    private let new = EncryptionKey([UInt8](repeating: 2, count: 32))!

    /// B offers `orders` and gets `stock`, both sealed; it has told this key.
    private func rig(_ key: EncryptionKey?) -> DeskRig {
        var rig = DeskRig()
        let sealed = AgreementConditions(encryption: .required)
        rig.agreements = [:]
        rig.agree(provider: node(1), consumer: node(0), "orders", conditions: sealed)
        rig.agree(provider: node(0), consumer: node(1), "stock", conditions: sealed)
        know(key, &rig)
        return rig
    }

    private func know(_ key: EncryptionKey?, _ rig: inout DeskRig) {
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up, encryption: key)
        rig.publish()
    }

    @Test("leave sealed to the provider's key, and the event says so")
    func leaves() {
        var rig = rig(old)
        rig.call("B")
        #expect(rig.invocations.map(\.sealedTo) == [old])
        #expect(rig.ledger.attempts.first?.metadata.contains(Fact("payload sealed to", old)) == true)
    }

    @Test("leave sealed where any agreement in force wants that: the provider may find that one alone good")
    func preferred() {
        for (standing, sealedTo) in [(AgreementTerms.Standing.active, old), (.pending, nil), (.ended, nil)] {
            var rig = DeskRig()
            let sealed = AgreementConditions(encryption: .required)
            rig.agree(
                provider: node(1), consumer: node(0), "orders", standing: standing, conditions: sealed)
            know(old, &rig)
            rig.call("B")
            #expect(rig.invocations.map(\.sealedTo) == [sealedTo])
            rig.agree(provider: node(1), consumer: node(0), "other", conditions: sealed)
            rig.publish()
            rig.call("B")
            #expect(rig.invocations.map(\.sealedTo) == [sealedTo, sealedTo], "of another resource")
        }
    }

    @Test("do not leave at all while no key of the provider is known")
    func keyMissing() {
        var rig = rig(nil)
        let call = rig.call("B")
        #expect(rig.sent.isEmpty)
        #expect(rig.refusal(of: call) == [.encryptionKeyMissing])
    }

    @Test("leave in clear where nothing is asked, whatever key is known")
    func notAsked() {
        var rig = DeskRig()
        know(old, &rig)
        rig.call("B")
        #expect(rig.invocations.map(\.sealedTo) == [nil])
        #expect(rig.ledger.attempts.first?.metadata.contains { $0.name == "payload sealed to" } == false)
    }

    @Test("are served when they came sealed, and refused in clear")
    func provider() {
        var rig = rig(nil)
        let sealed = rig.arrive(sealedTo: old)
        #expect(rig.refusal(of: sealed) == nil)
        #expect(rig.ledger.attempts.first?.metadata.contains(Fact("payload sealed to", old)) == true)
        let clear = rig.arrive()
        #expect(rig.refusal(of: clear) == [.encryptionRequired])
    }

    @Test("a sealed call is served where nothing is asked: what is more closed is never worse")
    func unasked() {
        var rig = DeskRig()
        let key = rig.arrive(sealedTo: old)
        #expect(rig.refusal(of: key) == nil)
    }

    @Test("an agreement that asks nothing permits what one that asks does not")
    func other() {
        var rig = rig(nil)
        rig.agree(provider: node(0), consumer: node(1), "stock")
        rig.agree(provider: node(1), consumer: node(0), "orders")
        rig.publish()
        let clear = rig.arrive()
        #expect(rig.refusal(of: clear) == nil)
        rig.call("B")
        #expect(rig.invocations.map(\.sealedTo) == [nil])
    }

    @Test("what could not be opened is refused before anything else of it is believed")
    func unopened() {
        for (opening, code) in [
            (InboundInvocation.Opening.keyUnknown, RefusalCode.encryptionKeyUnknown), (.broken, .sealBroken),
        ] {
            var rig = rig(nil)
            let key = rig.arrive("nothing", sealedTo: old, opening: opening)
            #expect(rig.refusal(of: key) == [code])
            #expect(!rig.effects.contains { if case .serve = $0 { true } else { false } })
            // The attempt does not count as one that was made: it may come again, sealed anew.
            let again = rig.arrive("stock", correlation: 1, attempt: 1, sealedTo: new)
            #expect(rig.refusal(of: again) == nil)
        }
    }

    @Test("garbage is opened sixteen times and then once a second, and nobody else pays for it")
    func garbage() {
        var rig = rig(nil)
        rig.peers[2] = CallPeer(name: peerName("C"), trust: .trusted, link: .up)
        rig.publish()
        func refusal(_ peer: UInt8) -> Refusal? {
            rig.desk.refusalBeforeOpening(from: node(peer), at: moment(rig.now).instant)
        }
        for _ in 0..<16 {
            #expect(refusal(1) == nil)
            rig.desk.sealBroke(from: node(1), at: moment(rig.now).instant)
        }
        #expect(refusal(1)?.code == .overloaded && refusal(2) == nil)
        rig.now += 999
        #expect(refusal(1)?.code == .overloaded)
        rig.now += 1
        #expect(refusal(1) == nil)
        rig.desk.sealBroke(from: node(1), at: moment(rig.now).instant)
        #expect(refusal(1)?.code == .overloaded)
    }

    @Test("nothing of who is not trusted, is unknown or comes while this node drains is opened")
    func notOpened() {
        var rig = rig(nil)
        func code(_ peer: UInt8) -> RefusalCode? {
            rig.desk.refusalBeforeOpening(from: node(peer), at: moment(rig.now).instant)?.code
        }
        #expect(code(1) == nil && code(9) == .peerNotFound)
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .suspended, link: .up)
        rig.publish()
        #expect(code(1) == .peerSuspended)
        // What broke before is not held against it for ever, nor kept.
        rig.desk.sealBroke(from: node(1), at: moment(rig.now).instant)
        #expect(rig.desk.brokenSeals.isEmpty)
        rig.peers[1] = CallPeer(name: peerName("B"), trust: .trusted, link: .up)
        rig.publish()
        rig.take(.draining)
        #expect(code(1) == .draining)
    }

    @Test("what was refused before it was opened is refused, though there be room meanwhile")
    func refusedUnopened() {
        var rig = rig(nil)
        let key = rig.arrive(sealedTo: old, opening: .refused(Refusal(.overloaded)))
        #expect(rig.refusal(of: key) == [.overloaded])
        let again = rig.arrive(correlation: 1, attempt: 1, sealedTo: old)
        #expect(rig.refusal(of: again) == nil)
    }

    /// The provider has not the key to which the last attempt was sealed.
    private func refuse(_ rig: inout DeskRig) {
        guard let attempt = rig.sent.last?.0 else { return }
        rig.take(.attemptRefused(attempt, [Refusal(.encryptionKeyUnknown)], .none))
    }

    @Test("are repeated with the key that the provider told meanwhile, once for each")
    func rekeyed() {
        var rig = rig(old)
        let call = rig.call("B", "orders", "buy")
        know(new, &rig)
        refuse(&rig)
        #expect(rig.invocations.map(\.sealedTo) == [old, new])
        refuse(&rig)
        #expect(rig.sent.count == 2 && rig.refusal(of: call) == [.encryptionKeyUnknown])
    }

    @Test("are not repeated with the key that the provider has not")
    func sameKey() {
        var rig = rig(old)
        let call = rig.call("B")
        refuse(&rig)
        #expect(rig.sent.count == 1 && rig.refusal(of: call) == [.encryptionKeyUnknown])
    }

    @Test("whose answer's seal is broken are not known to have had no effect")
    func broken() {
        var rig = rig(old)
        let call = rig.call("B", "orders", "buy")
        rig.failLast(.sealBroken)
        #expect(rig.refusal(of: call) == [.outcomeUnknown, .sealBroken])
    }

    @Test("to this node's own resource need no seal")
    func own() {
        var rig = rig(nil)
        rig.call("A", "stock")
        #expect(rig.sent.isEmpty)
        #expect(rig.effects.contains { if case .serve(.own, _, _) = $0 { true } else { false } })
    }
}
