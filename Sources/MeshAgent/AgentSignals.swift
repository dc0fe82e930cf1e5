import Dispatch
import Glibc

/// SIGTERM and SIGINT as one question: has somebody asked this process to end?
public enum AgentSignals {
    /// Waits for the first of them. From then on they end the process at once, as they usually do: whoever
    /// asks twice means it.
    public static func untilAsked() async {
        let (asked, asker) = AsyncStream.makeStream(of: Void.self)
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { asker.yield() }
            source.resume()
            return source
        }
        for await _ in asked { break }
        for (source, number) in zip(sources, [SIGTERM, SIGINT]) {
            source.cancel()
            signal(number, SIG_DFL)
        }
    }
}
