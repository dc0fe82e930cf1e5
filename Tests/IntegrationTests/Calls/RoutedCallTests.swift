import Foundation
import MeshAudit
import MeshBase
import MeshWire
import NIOCore
import Synchronization
import Testing

@testable import MeshAgent

@Suite("Calls that the router places", .timeLimit(.minutes(1)))
struct RoutedCallTests {
    @Test("reach both providers, and go on when one of them is gone")
    func oneStops() async throws {
        try await TestMesh.with { mesh in
            let (first, second) = (try await Backend.start(), try await Backend.start())
            mesh.atEnd {
                await first.stop()
                await second.stop()
            }
            let caller = try await mesh.start("caller")
            let near = try await mesh.start("near")
            let far = try await mesh.start("far")
            for (provider, backend) in [(near, first), (far, second)] {
                try await provider.join(caller)
                try await provider.provide("prices", at: backend.url, ["get=GET /price idempotent"])
                try await provider.offer("prices", to: caller)
            }
            try await caller.route("prices", via: [near, far])
            for _ in 0..<60 { #expect(try await caller.application.invoke("any/prices/get").status == 200) }
            #expect(!first.seen.isEmpty && !second.seen.isEmpty)
            await near.stop()
            let before = second.seen.count
            for _ in 0..<60 { #expect(try await caller.application.invoke("any/prices/get").status == 200) }
            #expect(second.seen.count >= before + 60)
        }
    }

    @Test(
        "are all answered when one of two providers is killed under them, and when it is back",
        .enabled(if: Program.isHere, "needs the program beside the tests: swift build --product comity"))
    func oneIsKilled() async throws {
        try await TestMesh.with { mesh in
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            let caller = try await mesh.start("caller")
            let near = try await mesh.start("near")
            let far = try await mesh.start("far")
            for provider in [near, far] {
                try await provider.join(caller)
                try await provider.provide("prices", at: backend.url, ["get=GET /price idempotent"])
                try await provider.offer("prices", to: caller)
            }
            try await caller.route("prices", via: [near, far])
            let options = ["--listen", "\(near.link)", "--gateway", "\(near.gateway)"]
            await near.stop()
            let ledger = Ledger()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 { tasks.addTask { await call(caller.application, into: ledger) } }
                for _ in 0..<2 {
                    let process = try AgentProcess(home: near.home.path, name: "near", options: options)
                    mesh.atEnd { await process.end() }
                    try await until("near takes calls", within: .seconds(20)) {
                        await caller.link(with: near.node) != nil
                    }
                    try await Task.sleep(for: .milliseconds(.random(in: 400...900)))
                    try await process.kill()
                    try await Task.sleep(for: .milliseconds(400))
                }
                tasks.cancelAll()
            }
            #expect(ledger.others.isEmpty, "answered otherwise than 200: \(ledger.others) \(ledger.errors)")
            #expect(ledger.count > 50)
        }
    }

    @Test("are repeated elsewhere when the provider dies between a short answer's head and its end")
    func diesBeforeTheEnd() async throws {
        try await TestMesh.with { mesh in
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            let caller = try await mesh.start("caller")
            let providers = [try await mesh.start("near"), try await mesh.start("far")]
            for provider in providers {
                try await provider.join(caller)
                try await provider.provide("prices", at: backend.url, ["get=GET /bytes idempotent"])
                try await provider.offer("prices", to: caller)
            }
            try await caller.route("prices", via: providers)
            let cut = FirstAnswerCut(after: .milliseconds(400))
            for provider in providers { try await caller.place({ AnswerCutter(cut) }, onLinkWith: provider) }
            let began = ContinuousClock.now
            let answer = try await caller.application.send(.GET, "/mesh/any/prices/bytes/9")
            #expect(answer.status == 200 && answer.body.count == 9, "\(answer.text)")
            #expect(backend.seen.count == 2)
            #expect(ContinuousClock.now - began >= .milliseconds(400))
        }
    }

    /// Calls, one after the other, until the task is cancelled.
    private func call(_ application: Application, into ledger: Ledger) async {
        while !Task.isCancelled {
            do {
                let answer = try await application.invoke("any/prices/get")
                if answer.status == 200, let correlation = answer.correlation {
                    ledger.acknowledge(
                        Ledger.Entry(correlation: correlation, request: "", kind: .read))
                } else {
                    ledger.note(answer.code, answer.text)
                }
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                if !Task.isCancelled { ledger.note(nil, "\(error)") }
            }
        }
    }

    @Test("go to no peer that merely offers the name")
    func notRouted() async throws {
        try await Market.with { market in
            let answer = try await market.bob.application.invoke("any/orders/list")
            #expect(answer.code == .resourceUnknown)
            #expect(market.backend.seen.isEmpty)
        }
    }
}

/// The first answer, of all that several links bring, is cut behind its head, and its link dies later.
private final class FirstAnswerCut: Sendable {
    let delay: TimeAmount
    private let isDone = Atomic(false)

    init(after delay: TimeAmount) { self.delay = delay }

    /// True once.
    func take() -> Bool { !isDone.exchange(true, ordering: .relaxed) }
}

/// Reads the frames that come over one link, above TLS, and cuts there.
private final class AnswerCutter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let cut: FirstAnswerCut
    private var waiting: [UInt8] = []
    private var isMute = false

    init(_ cut: FirstAnswerCut) { self.cut = cut }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        waiting += unwrapInboundIn(data).readableBytesView
        do {
            while !isMute, let header = try waiting.withUnsafeBytes({ try FrameHeader.read(from: $0) }),
                waiting.count >= FrameHeader.length + header.payloadLength
            {
                let frame = Array(waiting.prefix(FrameHeader.length + header.payloadLength))
                waiting.removeFirst(frame.count)
                // The providers call nobody: what they open is an answer.
                if header.kind == .open, cut.take() {
                    isMute = true
                    let channel = context.channel
                    context.eventLoop.scheduleTask(in: cut.delay) { channel.close(promise: nil) }
                }
                context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: frame)))
            }
        } catch {
            context.fireErrorCaught(error)
        }
    }
}
