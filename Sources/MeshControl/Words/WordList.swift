import MeshBase

/// Bytes as words, so that two people can compare a fingerprint by voice.
///
/// 256 English words, one for each byte: 4 to 7 letters, no two with the same first four letters, and any two
/// at least three letters apart, so that one misheard or mistyped letter never makes another word. The order
/// is a contract: it never changes.
public enum WordList {
    /// The words, by the byte they stand for.
    public static let words: [String] = """
        acorn admiral album alpine amber anchor angle apron artist atlas autumn bamboo banjo barrel basket
        beacon beaver bench bicycle bishop blossom bonfire bottle breeze bridge buffalo bundle button cactus
        camera captain carbon carpet castle cedar cello chapel chimney circus cliff clover cobalt coffee
        comet copper cousin coyote cradle crayon cricket crystal cypress daisy dancer delta denim desert
        diamond doctor dolphin domino easel eclipse elbow emerald engine fabric falcon family feather fender
        ferry fiddle flannel flute forest fossil freckle galaxy garden garlic gazelle gecko geyser giraffe
        glacier globe goblet grape guitar harvest helmet hickory hollow honey horizon hunter husky iceberg
        igloo indigo insect island ivory jaguar jasmine jersey jigsaw journal juniper karate kayak kitchen
        koala ladder lantern laptop lemon leopard lettuce library lilac linen lizard lobster lotus magnet
        marble meadow mentor mercury mirror mitten mocha morning mosaic muffin museum mustard napkin nectar
        needle nickel north novel nugget nutmeg oasis ocean octopus olive omelet onion orange orbit orchid
        origami ostrich otter oxygen palace papaya parrot pasta peanut pebble pelican pencil piano picnic
        pigeon pilot plaza pocket poncho poppy potato prairie pretzel prism pumpkin puppet puzzle pyramid
        quartz quilt quiver rabbit raccoon radish raven ribbon ripple robin rodeo rugby safari sailor sandal
        satin school sequoia sheriff silver sketch soccer sofa spider spinach sponge squash stable stereo
        sugar summer swallow symbol syrup tadpole teapot temple tennis tiger topaz tornado tractor trophy
        trumpet tulip tundra tunnel turtle tuxedo typhoon unicorn vacuum valley vanilla village violin
        volcano voyage vulture waffle wagon walnut wheat whistle window wombat yacht yogurt zebra zephyr
        zigzag zodiac
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    /// One word for each byte.
    public static func words(for bytes: [UInt8]) -> [String] { bytes.map { words[Int($0)] } }

    /// The bytes that these words stand for, in whatever case they are typed; nil when one is no word.
    public static func bytes(of typed: [String]) -> [UInt8]? {
        let bytes = typed.compactMap { word in words.firstIndex(of: word.lowercased()).map { UInt8($0) } }
        return bytes.count == typed.count ? bytes : nil
    }

    /// A fingerprint as people see it: the first eight bytes, 64 bits, which nobody meets by trying keys.
    public static func fingerprint(of digest: Digest) -> [String] {
        words(for: Array(digest.bytes.prefix(8)))
    }
}
