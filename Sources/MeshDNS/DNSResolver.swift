import CResolv
import MeshBase

/// Asks a name server through libresolv, and waits for the answer: over UDP, again over TCP when that was cut
/// short. Blocks its thread, at most three times the patience for each server.
struct DNSResolver: Sendable {
    /// Nil: the machine's own servers, as `/etc/resolv.conf` names them at each question.
    let server: Endpoint?
    /// How long the first attempt waits.
    let patienceInSeconds: Int

    private static let attemptCount: CInt = 2

    /// The answer, if it is one to this question and carries no error.
    func ask(_ question: DNSQuestion) -> Result<DNSMessage, DNSTrouble> {
        let id = UInt16.random(in: 1 ... .max)
        let query = question.query(id: id)
        var answer = [UInt8](repeating: 0, count: DNSMessage.lengthInBytes)
        let length = exchange(query, &answer)
        guard length >= 0 else {
            // libresolv gives up on a server that refuses; what it said is still there.
            let trouble = refusal(in: answer, of: id) ?? Self.trouble(-length)
            return .failure(trouble)
        }
        guard length <= answer.count else { return .failure(.malformed) }
        return read(Array(answer.prefix(Int(length))), id: id, question)
    }

    private func exchange(_ query: [UInt8], _ answer: inout [UInt8]) -> CInt {
        let room = CInt(answer.count)
        guard let server else {
            return comity_res_exchange(
                nil, nil, CInt(patienceInSeconds), Self.attemptCount, query, CInt(query.count), &answer, room)
        }
        return comity_res_exchange(
            server.host, String(server.port), CInt(patienceInSeconds), Self.attemptCount, query,
            CInt(query.count), &answer, room)
    }

    private func read(_ bytes: [UInt8], id: UInt16, _ question: DNSQuestion) -> Result<DNSMessage, DNSTrouble>
    {
        do throws(DNSMessage.Malformed) {
            let message = try DNSMessage(bytes)
            guard message.id == id, message.answers(question), !message.isTruncated else {
                return .failure(.malformed)
            }
            return Self.trouble(responseCode: message.responseCode).map { .failure($0) } ?? .success(message)
        } catch {
            return .failure(.malformed)
        }
    }

    /// What the server's own words in the header are: they count if they repeat the number of the question.
    private func refusal(in answer: [UInt8], of id: UInt16) -> DNSTrouble? {
        guard UInt16(answer[0]) << 8 | UInt16(answer[1]) == id, answer[2] & 0x80 != 0 else { return nil }
        return Self.trouble(responseCode: answer[3] & 0x0f)
    }

    private static func trouble(responseCode: UInt8) -> DNSTrouble? {
        switch responseCode {
        case 0: nil
        case 2: .serverFailed
        case 3: .noSuchName
        case 5: .refused
        default: .responseCode(responseCode)
        }
    }

    private static func trouble(_ number: CInt) -> DNSTrouble {
        switch number {
        case ECONNREFUSED: .nothingListens
        case ETIMEDOUT: .silent
        default: .unreachable(reason: String(cString: strerror(number)))
        }
    }
}
