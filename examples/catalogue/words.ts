import type { Genre } from './styles.ts'

/** Words that titles, artists and labels of a genre are made of. `{a}`, `{n}`, `{p}`, `{f}`, `{l}`, `{i}` are filled in. */
export interface Words {
  /** `{a}`: adjectives. */
  readonly adjectives: readonly string[]
  /** `{n}`: nouns. */
  readonly nouns: readonly string[]
  /** `{p}`: places. */
  readonly places: readonly string[]
  readonly titles: readonly string[]
  /** `{f}` a first name, `{l}` a family name. */
  readonly artists: readonly string[]
  readonly labels: readonly string[]
}

export const firstNames: readonly string[] = list(
  'Ada Alma Ansel Astrid Bruno Carla Cecil Clara Dario Della Edda Elias Enzo Esther Felix Fiona Greta Hugo Ida Ines Irma Ivo Jonas Judith Kaya Lena Leon Livia Lorenz Lotte Lucia Mabel Marek Marta Milo Mina Nadia Nils Noor Odile Olga Omar Otto Paloma Petra Rafael Renata Rosa Ruben Selma Silas Simone Soren Stella Tomas Ulla Vera Viktor Wanda Yusuf',
)
export const familyNames: readonly string[] = list(
  'Abara Adler Almeida Baptiste Barros Beck Bello Bergman Castell Cordova Dahl Delacroix Duarte Eklund Falk Ferrante Fontaine Garland Grau Halloran Hartmann Hayes Holm Ibarra Jansen Kessler Kovac Lindqvist Lowell Maddox Marchetti Mensah Moreau Navarro Novak Okafor Oduya Palmer Prescott Quiroga Reyes Rinaldi Sandoval Sato Solberg Tanaka Thorne Valdez Vance Varga Vogel Wallin Weller Winter Yamada Zeller',
)

export const words: Readonly<Record<Genre, Words>> = {
  Electronic: {
    adjectives: list(
      'Analog Binary Blue Broken Cold Digital Distant Electric Hidden Inner Liquid Lunar Magnetic Modular Neon Parallel Polar Remote Silent Solar Static Thermal Ultra Vapor Violet',
    ),
    nouns: list(
      'Array Cascade Circuit Cipher Delay Drift Echo Field Filter Frequency Function Grid Horizon Module Motion Node Orbit Phase Pulse Radar Relay Sector Sequence Signal Sine Spectrum System Transit Transmission Vector Voltage Wave',
    ),
    places: list('Berlin Detroit Rotterdam Sheffield Tokyo Oslo Chicago Cologne Malmö'),
    titles: [
      '{a} {n} EP',
      '{n} {r}',
      '{a} {n}',
      '{n} / {n}',
      'The {n} EP',
      '{n} Theory',
      '{p} {n}',
      '{a} {n} (Remixes)',
      'Night {n}',
      '{n} Studies',
    ],
    artists: ['{n} Unit', '{a} {n}', '{f} {l}', 'DJ {n}', '{n}-{r}', '{a} Mode', '{n} Index', 'The {n} Project', '{l}'],
    labels: ['{n} Recordings', '{a} Audio', '{n} Trax', '{n} Works', '{p} Underground', '{a} {n} Music'],
  },
  Rock: {
    adjectives: list(
      'Black Bitter Burning Crooked Crimson Electric Fallen Ghost Golden Hollow Iron Loose Lost Midnight Paper Pale Plastic Restless Rusty Savage Silver Sleepless Velvet Wicked Wild',
    ),
    nouns: list(
      'Arrow Avenue Boulevard Canyon Carnival Circus Crow Engine Fever Fire Garden Harbor Hounds Kingdom Lantern Letters Machine Mirror Motel Parade Radio Riot River Shadows Skyline Television Tigers Tomorrow Wolves Youth',
    ),
    places: list('Manchester Glasgow Portland Chelsea Hamburg Athens Memphis Halifax Melbourne'),
    titles: [
      '{a} {n}',
      'The {n}',
      '{n} and {n}',
      'Songs for the {a} {n}',
      '{a}',
      'No More {n}',
      'Beneath the {n}',
      '{n} Nights',
      'Live in {p}',
      'A {n} in {p}',
      'Goodbye, {n}',
    ],
    artists: [
      'The {a} {n}',
      '{a} {n}',
      'The {n}',
      '{n} Club',
      '{f} {l}',
      '{f} & The {n}',
      '{n} in {p}',
      '{l} Brothers',
    ],
    labels: ['{a} {n} Records', '{n} Records', '{p} Sound', '{a} Discs', '{n} House'],
  },
  Jazz: {
    adjectives: list(
      'Autumn Blue Brilliant Cool Early Eastern Easy Golden Indigo Late Long Midnight Mellow New Open Quiet Round Second Soft Southern Spiritual Tall Uptown Warm',
    ),
    nouns: list(
      'Alley Ballad Bird Blues Calling Changes Corner Dialogue Dream Evening Experience Flight Groove Journey Meditation Mood Moment Passage Prayer Rain Romance Session Shadows Steps Street Suite Sunday Swing Waltz Window',
    ),
    places: list('Harlem Montreux Copenhagen Warsaw Antibes Philadelphia Kyoto Juan Chicago'),
    titles: [
      '{a} {n}',
      '{n} for {f}',
      'The {a} {n}',
      '{f} Plays {l}',
      'Live at {p}',
      '{n} in {p}',
      "{f}'s {n}",
      '{a} {n} Suite',
      'Introducing {f} {l}',
      'One More {n}',
    ],
    artists: [
      '{f} {l}',
      '{f} {l} Quartet',
      '{f} {l} Trio',
      'The {l} Quintet',
      '{f} {l} & {f} {l}',
      '{p} Jazz Ensemble',
      'The {a} {n} Sextet',
    ],
    labels: ['{a} Note', '{n} Jazz', '{l} Records', '{a} {n} Records', '{p} Editions'],
  },
  'Hip Hop': {
    adjectives: list(
      'Brick Concrete Cold Deep Dusty Eternal First Heavy Hidden Infinite Live Lyrical Mental Native Raw Sharp Steady Supreme Third True Underground Urban Verbal Vintage',
    ),
    nouns: list(
      'Alphabet Basement Block Borough Chapter Chess Cipher Corner Crates Diction Elements Empire Gospel Grammar Jewels Knowledge Language Loops Method Notebook Pages Philosophy Poets Prophets Rhythm Science Scrolls Session Styles Verses',
    ),
    places: list('Queens Oakland Marseille Stuttgart Brixton Osaka Philly Atlanta'),
    titles: [
      '{a} {n}',
      '{n} & {n}',
      'The {n} Tape',
      '{n} Vol. {v}',
      'From {p} with {n}',
      '{a} {n} EP',
      'The {a} {n}',
      '{n} Instrumentals',
      'Return of the {n}',
      '{p} {n}',
    ],
    artists: ['{a} {n}', 'MC {l}', '{n} of {p}', 'DJ {l}', '{l} the {n}', 'The {n} Crew', '{f} {a}', '{n} Collective'],
    labels: ['{n} Entertainment', '{a} {n} Records', '{p} Wax', '{n} Music Group', '{a} Crates'],
  },
  'Funk / Soul': {
    adjectives: list(
      'Brand-New Brown Cosmic Everlasting Fine Funky Golden Good Happy Heavenly Hot Lovin Lucky Magic Mighty Natural Real Sugar Sunny Superfine Sweet Tender Thunder Ultimate Velvet',
    ),
    nouns: list(
      'Affair Believer Boogie Brother Connection Dancer Delight Devotion Emotion Express Feeling Fever Galaxy Groove Heart Honey Inspiration Love Mama Message Party People Power Rapture Sister Soul Sunshine Thing Train Vibration',
    ),
    places: list('Memphis Lagos Detroit Muscle-Bay Accra Miami Paris Philadelphia'),
    titles: [
      '{a} {n}',
      '{a} {n} / {n}',
      'The {n} Album',
      'Give Me {n}',
      '{n} Time',
      'Get Up on the {n}',
      'I Found {n}',
      '{n}, {n}, {n}',
      'Do the {n}',
      '{a} {n}, Part {v}',
    ],
    artists: [
      '{f} {l}',
      '{f} & The {n}',
      'The {a} {n}',
      'The {l} Family',
      '{a} {n} Band',
      '{l} Orchestra',
      'The {l} Sisters',
    ],
    labels: ['{a} Records', '{n} Sound', '{p} Groove', '{a} {n}', '{n} International'],
  },
  Reggae: {
    adjectives: list(
      'African Black Conscious Dread Early Firm Freedom Golden Heavy High Holy Humble Island Jubilee King Kingston Lion Mighty Natural Righteous Steady Upfull Western Wise',
    ),
    nouns: list(
      'Children Clash Culture Fire Foundation Gate Hill Judgment Justice Majesty Meditation Melody Mountain Nation River Rock Roots Salvation Scientist Seven Shower Sound Style Thunder Tribe Vibration Youth',
    ),
    places: list('Kingston Brixton Spanish-Town Montego Bristol Negril'),
    titles: [
      '{a} {n}',
      '{n} in Dub',
      'Rise Up {n}',
      '{n} Version',
      '{a} {n} Dub',
      'Jah {n}',
      '{f} Meets the {a} {n}',
      'Down in {p}',
      '{n} Time',
      'Dub from {p}',
    ],
    artists: [
      '{f} {l}',
      '{l} & The {n}',
      'The {a} {n}',
      'King {l}',
      'Prince {f}',
      '{n} All Stars',
      '{p} Rockers',
      'Sister {f}',
    ],
    labels: ['{a} Lion', '{n} Hi-Fi', '{p} Records', '{a} {n}', '{n} Sounds'],
  },
  Classical: {
    adjectives: list(
      'Brilliant Complete Early Four Grand Great Italian Late New Northern Quiet Sacred Selected Six Small Solemn Three Twelve Two Unfinished',
    ),
    nouns: list(
      'Cantatas Chorales Concertos Dances Etudes Fantasias Fragments Fugues Impromptus Intermezzi Lieder Madrigals Mazurkas Motets Nocturnes Organ-Works Partitas Pieces Preludes Quartets Sonatas Songs Studies Suites Symphonies Trios Variations',
    ),
    places: list('Vienna Leipzig Dresden Kraków Amsterdam Salzburg Bergen Lyon'),
    titles: [
      '{a} {n}',
      '{n} for Piano',
      '{n} for Strings',
      '{l}: {n}',
      'Symphony No. {v}',
      '{a} {n}, Op. {r}',
      'String Quartet No. {v}',
      'Music for {r} Musicians',
      '{n} and {n}',
      'The {p} Recordings',
    ],
    artists: [
      '{f} {l}',
      '{p} Chamber Orchestra',
      '{p} Philharmonic',
      '{l} Quartet',
      'Ensemble {l}',
      '{f} {l}, {f} {l}',
      '{p} Consort',
    ],
    labels: ['{p} Editions', '{l} Classics', 'Musica {p}', '{p} Grammophon', '{l} Archive'],
  },
  Folk: {
    adjectives: list(
      'Amber Autumn Bonny Drowsy Early Evergreen Faithful Far Fair Green Lonesome Misty Northern Old Rolling Scattered Silver Simple Southern Wandering Weathered Western Winter Young',
    ),
    nouns: list(
      'Acre Barley Blackbird Bridge Cabin Crossing Daughter Fields Fiddler Harvest Hills Hollow Island Lament Lark Meadow Miller Moorland Orchard Ploughman Rambler Road Sailor Shore Sparrow Stone Thistle Tinker Valley Willow',
    ),
    places: list('Galway Dalarna Durham Asheville Cork Skye Nova-Bay'),
    titles: [
      'The {a} {n}',
      '{n} Songs',
      'The {n} and the {n}',
      '{a} {n}',
      'Songs of {p}',
      '{f} of the {n}',
      'Farewell to {p}',
      'Over the {n}',
      'A {n} in {p}',
      '{a} as the {n}',
    ],
    artists: ['{f} {l}', '{f} & {f} {l}', 'The {n}', '{a} {n}', 'The {l} Family', '{n} & {n}', 'The {p} Fiddlers'],
    labels: ['{n} Records', '{a} {n}', '{p} Folk', '{n} Tree', '{a} Lark Recordings'],
  },
  Latin: {
    adjectives: list(
      'Alegre Azul Brava Caliente Clara Dulce Eterna Fina Gitana Linda Mulata Negra Nueva Rica Serena Sola Suave Tropical Vieja Viva',
    ),
    nouns: list(
      'Bahía Brisa Calle Canción Carnaval Cumbre Descarga Estrella Fiesta Flor Guajira Isla Lágrima Luna Mañana Montaña Noche Palma Playa Plaza Rumba Saudade Selva Sirena Sombra Tierra Tormenta Tumbadora Vida Voz',
    ),
    places: list('Cali Bahia Medellín Santiago Lima Ipanema Veracruz'),
    titles: [
      '{n} {a}',
      'La {n}',
      '{n} de {p}',
      '{n} y {n}',
      'Mi {n}',
      'Sabor de {p}',
      'La {n} {a}',
      '{n} para {f}',
      'En Vivo en {p}',
      '{n} sin {n}',
    ],
    artists: [
      '{f} {l}',
      'Orquesta {l}',
      'Los {l} de {p}',
      'Conjunto {n}',
      '{f} {l} y su Conjunto',
      'Sonora {p}',
      'Trio {n}',
    ],
    labels: ['Discos {n}', '{p} Records', 'Sonido {a}', 'Discos {l}', 'Fonográfica {p}'],
  },
}

/** Words separated by spaces; a hyphen stands for a space within one. */
function list(text: string): readonly string[] {
  return text.split(' ').map((word) => word.replaceAll('-', ' '))
}
