import ArgumentParser
import FoundationEssentials
import Glibc
import MeshControl

/// Runs one command and ends with the exit code of the contract: 0 done; 1 refused or not found; 2 wrong
/// usage; 3 the agent is not running; 4 could not reach the peer.
@main
enum Program {
    static func main() async {
        do {
            let arguments = CommandLine.arguments.dropFirst()
            if arguments.first == "help" { return try Help.answer(Array(arguments.dropFirst())) }
            var command = try await Comity.asyncParseAsRoot()
            if var waiting = command as? any AsyncParsableCommand {
                try await waiting.run()
            } else {
                try command.run()
            }
        } catch let failure as ControlFailure {
            Terminal.fail(failure)
        } catch let code as ExitCode {
            exit(code.rawValue)
        } catch {
            let isHelp = Comity.exitCode(for: error) == .success
            (isHelp ? Terminal.out : Terminal.note)(Comity.fullMessage(for: error) + "\n")
            exit(isHelp ? 0 : 2)
        }
    }
}

/// The program: every command that exists. One that does not is a usage error.
struct Comity: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "comity",
        abstract: "Finds peers, makes mutual trust with them, and carries calls between organisations.",
        discussion: """
            The first call, between two machines A and B:

              A$ comity up             B$ comity up
              A$ comity invite         B$ comity join LINE
                                       B$ comity call A/echo '{"hi":1}'

            Every command takes --home DIR (else $COMITY_HOME, else ~/.comity): one home is one node.
            Exit codes: 0 done, 1 refused or not found, 2 wrong usage, 3 the agent is not running,
            4 could not reach the peer.

            comity help --man prints all of it as a manual page.
            """,
        version: ProgramVersion.text,
        subcommands: [
            Up.self, Status.self, Peers.self, Peer.self, Invite.self, JoinCommand.self, Pair.self,
            Domain.self,
            Resource.self,
            Route.self, Find.self,
            Offer.self, Agreement.self, Policy.self, Key.self, Call.self, Routes.self, Top.self, Audit.self,
            ExplainCommand.self,
            Doctor.self,
            Config.self,
            Log.self, Backup.self, Restore.self, Leave.self, Service.self,
            Sim.self, Completion.self,
        ])
}
