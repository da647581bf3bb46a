/** A style of music: where and when it lived, and what its listeners also listen to. */
export interface Style {
  readonly name: string
  readonly genre: Genre
  /** Year around which most of its releases fall, and the standard deviation in years. */
  readonly peak: number
  readonly spread: number
  /** Relative number of releases. */
  readonly weight: number
  /** Countries of its labels, the first being the most common. */
  readonly countries: readonly string[]
  /** Styles whose listeners overlap with this one's. */
  readonly neighbours: readonly string[]
}

export type Genre =
  | 'Electronic'
  | 'Rock'
  | 'Jazz'
  | 'Hip Hop'
  | 'Funk / Soul'
  | 'Reggae'
  | 'Classical'
  | 'Folk'
  | 'Latin'

/** Every style of the catalogue, ordered by genre. */
export const styles: readonly Style[] = [
  style('Techno', 'Electronic', 1996, 7, 10, 'Germany, US, Netherlands, UK', 'Electro, Minimal Techno, House'),
  style('Minimal Techno', 'Electronic', 2003, 5, 6, 'Germany, Canada, France', 'Techno, Deep House, Ambient'),
  style('House', 'Electronic', 1993, 7, 10, 'US, UK, Italy', 'Deep House, Disco, Techno'),
  style('Deep House', 'Electronic', 1998, 8, 7, 'US, UK, Sweden', 'House, Soul, Minimal Techno'),
  style('Electro', 'Electronic', 1988, 9, 5, 'US, Netherlands, UK', 'Techno, Boom Bap, Synth-pop'),
  style('Ambient', 'Electronic', 1994, 11, 6, 'UK, Japan, Germany, Norway', 'IDM, Contemporary, Krautrock'),
  style('IDM', 'Electronic', 1998, 6, 5, 'UK, US, France', 'Ambient, Drum n Bass, Techno'),
  style('Drum n Bass', 'Electronic', 1997, 5, 6, 'UK, Netherlands', 'IDM, Dub, Techno'),
  style('Trance', 'Electronic', 1999, 4, 5, 'Germany, Netherlands, Israel', 'Techno, House'),
  style('Synth-pop', 'Electronic', 1984, 5, 6, 'UK, Germany, Sweden', 'New Wave, Electro, Disco'),
  style('Psychedelic Rock', 'Rock', 1970, 6, 6, 'UK, US, Brazil, Turkey', 'Krautrock, Progressive Rock, Folk Rock'),
  style('Progressive Rock', 'Rock', 1974, 5, 6, 'UK, Italy, Germany', 'Krautrock, Psychedelic Rock, Fusion'),
  style('Krautrock', 'Rock', 1974, 4, 4, 'Germany', 'Progressive Rock, Ambient, Psychedelic Rock'),
  style('Punk', 'Rock', 1980, 6, 7, 'UK, US, Sweden', 'Post-Punk, New Wave, Hardcore'),
  style('Hardcore', 'Rock', 1986, 6, 5, 'US, Italy, Japan', 'Punk, Post-Punk'),
  style('Post-Punk', 'Rock', 1982, 6, 6, 'UK, France, Belgium', 'New Wave, Punk, Indie Rock'),
  style('New Wave', 'Rock', 1983, 4, 6, 'UK, US, Spain', 'Synth-pop, Post-Punk, Punk'),
  style('Indie Rock', 'Rock', 1998, 9, 9, 'US, UK, Canada, Australia', 'Shoegaze, Post-Punk, Folk Rock'),
  style('Shoegaze', 'Rock', 1994, 7, 4, 'UK, US, Japan', 'Indie Rock, Ambient, Post-Punk'),
  style('Hard Bop', 'Jazz', 1961, 5, 6, 'US, France', 'Modal, Soul Jazz'),
  style('Modal', 'Jazz', 1965, 6, 4, 'US, Poland, Japan', 'Hard Bop, Free Jazz, Fusion'),
  style('Soul Jazz', 'Jazz', 1967, 5, 4, 'US', 'Hard Bop, Funk, Fusion'),
  style('Free Jazz', 'Jazz', 1971, 8, 4, 'US, Germany, Norway', 'Modal, Contemporary'),
  style('Fusion', 'Jazz', 1976, 6, 5, 'US, Japan, Brazil', 'Funk, Soul Jazz, Progressive Rock'),
  style('Boom Bap', 'Hip Hop', 1995, 5, 8, 'US, Germany, France', 'Instrumental, Funk, Conscious'),
  style('Conscious', 'Hip Hop', 2000, 6, 5, 'US, UK, France', 'Boom Bap, Soul, Instrumental'),
  style('Instrumental', 'Hip Hop', 2004, 6, 4, 'US, Japan, UK', 'Boom Bap, IDM, Soul Jazz'),
  style('Soul', 'Funk / Soul', 1971, 7, 8, 'US, UK', 'Funk, Disco, Soul Jazz'),
  style('Funk', 'Funk / Soul', 1975, 6, 7, 'US, Nigeria, France', 'Soul, Disco, Afrobeat'),
  style('Disco', 'Funk / Soul', 1979, 4, 7, 'US, Italy, France', 'Funk, House, Soul'),
  style('Afrobeat', 'Funk / Soul', 1977, 6, 4, 'Nigeria, Ghana, France', 'Funk, Salsa, Fusion'),
  style('Roots Reggae', 'Reggae', 1977, 5, 6, 'Jamaica, UK', 'Dub, Dancehall'),
  style('Dub', 'Reggae', 1982, 8, 5, 'Jamaica, UK, Germany', 'Roots Reggae, Drum n Bass, Ambient'),
  style('Dancehall', 'Reggae', 1988, 6, 5, 'Jamaica, US', 'Roots Reggae, Boom Bap'),
  style('Baroque', 'Classical', 1972, 14, 4, 'Germany, Austria, Netherlands', 'Romantic, Contemporary'),
  style('Romantic', 'Classical', 1970, 14, 4, 'Austria, Germany, Poland', 'Baroque, Contemporary'),
  style('Contemporary', 'Classical', 1985, 13, 4, 'US, Norway, France', 'Ambient, Free Jazz, Romantic'),
  style('Folk Rock', 'Folk', 1971, 7, 6, 'US, UK, Canada', 'Traditional Folk, Psychedelic Rock, Indie Rock'),
  style('Traditional Folk', 'Folk', 1968, 10, 4, 'Ireland, UK, Sweden', 'Folk Rock'),
  style('Salsa', 'Latin', 1975, 7, 5, 'US, Colombia, Cuba', 'Cumbia, Bossa Nova, Afrobeat'),
  style('Cumbia', 'Latin', 1978, 9, 4, 'Colombia, Peru, Mexico', 'Salsa, Dub'),
  style('Bossa Nova', 'Latin', 1966, 6, 4, 'Brazil, US', 'Salsa, Soul Jazz, Modal'),
]

function style(
  name: string,
  genre: Genre,
  peak: number,
  spread: number,
  weight: number,
  countries: string,
  neighbours: string,
): Style {
  return { name, genre, peak, spread, weight, countries: countries.split(', '), neighbours: neighbours.split(', ') }
}
