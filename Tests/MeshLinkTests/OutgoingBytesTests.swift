import MeshBase
import NIOCore
import Testing

@testable import MeshLink

@Suite struct OutgoingBytesTests {
    @Test(arguments: UInt64(1)...10) func `hands out bytes in order, however they came and are taken`(
        seed: UInt64
    ) {
        var generator = SeededGenerator(seed: seed)
        var outgoing = OutgoingBytes()
        var (written, taken) = ([UInt8](), ByteBuffer())
        for _ in 0..<300 {
            if generator.number(below: 2) == 0 {
                let piece = generator.bytes(Int(generator.number(below: 50)))
                written += piece
                outgoing.append(ByteBuffer(bytes: piece))
            } else {
                outgoing.take(Int(generator.number(below: UInt64(outgoing.count) + 1)), into: &taken)
            }
            #expect(outgoing.count == written.count - taken.readableBytes)
        }
        outgoing.take(outgoing.count, into: &taken)
        #expect(Array(taken.readableBytesView) == written)
    }

    @Test func `keeps its order over many more elements than wait at once`() {
        var fifo = Fifo<Int>()
        var next = 0
        for number in 0..<1_000 {
            fifo.append(number)
            if number >= 100 {
                let first = fifo.popFirst()
                #expect(first == next)
                next += 1
            }
        }
        #expect(fifo.count == 100)
        #expect(fifo.first == 900)
    }
}

@Suite struct FlowWindowTests {
    @Test func `gives credit back in steps of half a window at least, so that a sender never starves`() {
        var window = ReceivingWindow(size: 100)
        let came = window.receive(100)
        let early = window.consume(49)
        let step = window.consume(1)
        #expect(came && early == nil && step == 50)
        #expect(window.credit == 50 && window.held == 50 && window.owed == 0)
        let tooMuch = window.receive(51)
        #expect(!tooMuch)
    }

    @Test func `takes no more credit than its window holds`() {
        var window = SendingWindow(size: 100)
        window.spend(60)
        let (zero, over, whole) = (window.grant(0), window.grant(61), window.grant(60))
        #expect(!zero && !over && whole)
        #expect(window.credit == 100)
    }
}
