import Dispatch
import Glibc
import Logging
import MeshBase
import MeshDiscovery
import MeshNode
import Synchronization
import Testing

@testable import MeshAgent

/// A witness that does what a test tells it to.
private struct Actor: WitnessShell {
    let method: String
    let part: @Sendable (WitnessDesk) async -> Void

    func run(_ desk: WitnessDesk) async { await part(desk) }
}

@Suite("The witnesses of an agent", .timeLimit(.minutes(1)))
struct DiscoveryShellTests {
    private let inputs = Mailbox(capacity: 8_192)
    private let surroundings = Surroundings(
        sources: ConfigurationSources(
            home: Home(path: "/nowhere"), options: ConfigurationOptions(), environment: [:]),
        reading: ConfigurationReader.read(file: nil, environment: [:]), stop: {}
    )

    private func shell(_ witnesses: Actor...) -> DiscoveryShell {
        DiscoveryShell(
            witnesses, inputs: inputs, surroundings: surroundings,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func sighting(_ witness: Witness, _ source: String = "x") -> Sighting {
        Sighting(
            key: SightingKey(witness: witness, source: source), endpoints: [Endpoint(host: "a", port: 1)],
            claim: .nobody, life: .seconds(60))
    }

    /// Reads letters until one is the honest witness's.
    private func honestWord() async -> Bool {
        while let letters = await inputs.take() {
            if letters.contains(.input(.sighted(sighting(.consul)))) { return true }
        }
        return false
    }

    private var honest: Actor {
        Actor(method: "consul") { [sighting = sighting(.consul)] desk in
            desk.sight(sighting)
            desk.stand(.working, "1 registered")
            desk.count(.success, took: .milliseconds(7))
            await untilCancelled()
        }
    }

    @Test("hear one that works though another hangs and blocks its thread, and another ends at once")
    func independent() async {
        let release = DispatchSemaphore(value: 0)
        let thread = WitnessThread("hanging")
        let hanging = Actor(method: "mdns") { _ in await thread.run { release.wait() } }
        let failing = Actor(method: "dns") { desk in desk.stand(.failing, "no name server answers") }
        let shell = shell(hanging, failing, honest)
        shell.start()
        #expect(await honestWord())
        // The end waits for nobody who hangs either.
        await shell.stop(within: .milliseconds(50))
        release.signal()
        let reports = surroundings.discovery(at: SystemClock.now().instant)
        #expect(reports.map(\.method) == ["consul", "dns"])
        #expect(reports[0].state == .working && reports[0].answerMilliseconds == 7)
        #expect((reports[0].answerAgeSeconds ?? -1) >= 0)
        #expect(reports[1].state == .failing && reports[1].answerAgeSeconds == nil)
    }

    @Test("hear one that works though another says more than the mailbox holds")
    func flooded() async {
        let (said, saying) = AsyncStream.makeStream(of: Void.self)
        let lies = (0..<50_000).map { sighting(.dns(domain: "lab"), "\($0)") }
        let loud = shell(
            Actor(method: "dns") { desk in
                for lie in lies { desk.sight(lie) }
                saying.finish()
                await untilCancelled()
            })
        loud.start()
        for await _ in said {}
        let quiet = shell(honest)
        quiet.start()
        #expect(await honestWord())
        await loud.stop()
        await quiet.stop()
    }

    @Test(
        "take back what they announced before the agent ends, also where its end is a task that was cancelled"
    )
    func goodbyes() async {
        let goodbyes = Box<[String]>([])
        let polite = { (method: String) in
            Actor(method: method) { _ in
                await untilCancelled()
                // A goodbye takes a while.
                await WitnessThread(method).run { _ = usleep(50_000) }
                goodbyes.change { $0.append(method) }
            }
        }
        let shell = shell(polite("a"), polite("b"))
        shell.start()
        let end = Task {
            await untilCancelled()
            await shell.stop(within: .seconds(30))
        }
        end.cancel()
        await end.value
        #expect(goodbyes.value.sorted() == ["a", "b"])
    }

    @Test("are counted each for itself: answers, failures, and how long answers took")
    func counted() {
        let meter = surroundings.meter
        meter.count("consul", .success, took: .milliseconds(1))
        meter.count("consul", .success, took: .milliseconds(3))
        meter.count("consul", .success, took: nil)
        meter.count("consul", .failure, took: .seconds(60))
        meter.count("dns", .failure, took: nil)
        let consul = meter.snapshot["consul"]
        #expect(consul?.requests(.success) == 3 && consul?.requests(.failure) == 1)
        #expect(consul?.durations.buckets == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(consul?.durations.total == .milliseconds(60_004))
        #expect(meter.snapshot["dns"]?.failures == 1)
    }
}

/// A value that several tasks see.
private final class Box<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }
    func change(_ work: (inout Value) -> Void) { state.withLock { work(&$0) } }
}
