import MeshBase

/// A part of what the sender believes about itself and the receiver, told once for each mismatch that lasts.
public struct BeliefReport: Equatable, Sendable, Codable {
    /// The mark of all that is told.
    public let mark: BeliefMark
    /// Which part this is, from 0.
    public let part: Int
    /// How many there are, 1 ... `partsMax`.
    public let parts: Int
    /// At most `agreementsPerPart` agreements, the same else in every part.
    public let beliefs: Beliefs

    /// Parts of one report: with `agreementsPerPart` more than a node holds of one peer.
    public static let partsMax = 6
    /// Agreements in one part: with every field at its longest they fit a frame.
    public static let agreementsPerPart = 100

    /// All parts of one report; what is beyond the bound is left out, the newest first in being kept.
    static func parts(of beliefs: Beliefs, _ mark: BeliefMark) -> [BeliefReport] {
        let told = beliefs.agreements.prefix(partsMax * agreementsPerPart)
        let count = max(1, (told.count + agreementsPerPart - 1) / agreementsPerPart)
        return (0..<count).map { part in
            let slice = told.dropFirst(part * agreementsPerPart).prefix(agreementsPerPart)
            return BeliefReport(mark: mark, part: part, parts: count, beliefs: beliefs.with(slice))
        }
    }

    private init(mark: BeliefMark, part: Int, parts: Int, beliefs: Beliefs) {
        self.mark = mark
        self.part = part
        self.parts = parts
        self.beliefs = beliefs
    }

    private enum CodingKeys: String, CodingKey { case mark, part, parts, beliefs }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        mark = try container.decode(BeliefMark.self, forKey: .mark)
        parts = try container.decode(Int.self, forKey: .parts)
        part = try container.decode(Int.self, forKey: .part)
        beliefs = try container.decode(Beliefs.self, forKey: .beliefs)
        guard (1...Self.partsMax).contains(parts), (0..<parts).contains(part),
            beliefs.agreements.count <= Self.agreementsPerPart,
            beliefs.agreements.allSatisfy({ $0.resources.count <= BelievedAgreement.resourcesMax })
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .parts, in: container, debugDescription: "a report beyond its bounds")
        }
    }
}
