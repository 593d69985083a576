"""Whether a hostname looks like the site of a small business: two rules on the name alone.

No open list says which sites belong to small businesses, so these are weak labels.

:func:`national` accepts a domain of one's own under a country's suffix, with nothing or ``www``
before it, of eight or more letters and no digits, without a word of what is rarely a small firm.

:func:`small_business` is stricter and misses every firm that is not named after its trade. A name
counts when all of this holds:

1. it is a registrable domain (public suffix list), with nothing or ``www`` before it;
2. it holds a word of a local trade (plumber, dentist, roofer, bakery, guest house ...) or of a
   small shop in one of a dozen languages: a short word as a whole piece between hyphens or, from
   four letters, at the end of one; a word of six or more also at the beginning;
3. at least three letters stand beside that word: a family, a place, a fancy name;
4. it has no digits, at most three hyphens, no word of what is rarely a small firm (gambling, sex,
   crypto, log-in pages, news, schools), and no suffix that is sold for next to nothing.

How often the rule errs is measured by :mod:`unmist.evaluate.findings` on names read by eye.
"""

import re
from functools import cache
from typing import Final

from publicsuffixlist import PublicSuffixList

_WORDS: Final = """
law legal attorney attorneys lawyer lawyers lawfirm notary cpa accounting accountant accountants
bookkeeping tax realty realtor realtors realestate homes dental dentist dentists dentistry
orthodontics ortho clinic chiro chiropractic chiropractor medical physio physiotherapy therapy
optical opticians eyecare vet vets veterinary kennel kennels nursery florist florists flowers
salon spa barber barbers hair hairdressing nails beauty tattoo tattoos yoga pilates gym fitness
karate dance studio studios photography photographer photographers bakery cakes catering caterers
bistro grill pizza pizzeria pizzas inn hotel hotels motel hostel lodge resort villas cottage
cottages guesthouse camping travel tours limousine limo taxi taxis cabs autobody autorepair
autosales automotive motors tires tyres towing plumbing plumber plumbers hvac heating cooling
electric electrical electrician electricians roofing roofer roofers siding gutters fencing fences
paving concrete masonry drywall flooring floors carpets tiles kitchens cabinets painting painters
windows doors blinds pools garden gardens gardening lawncare landscaping landscapes landscape
treecare arborist pestcontrol cleaning cleaners movers removals storage rentals rental trucking
transport haulage logistics printing printers signs jewelry jewellery jewelers jewellers antiques
furniture interiors upholstery builders construction contractors contracting contractor
homebuilders remodeling renovations renovation carpentry joinery woodworks welding machining
hardware marine boats yachts cycles bikes golf wedding weddings bridal events insurance funeral
funeralhome daycare preschool consulting consultants boutique winery vineyard vineyards brewery
brewing distillery butchers seafood farm farms orchard orchards stables saddlery plasterers
scaffolding glazing conservatories surveyors architects architect locksmith locksmiths anwalt
anwaelte rechtsanwalt rechtsanwaelte kanzlei steuerberater steuerberatung notar praxis zahnarzt
zahnarztpraxis zahnaerzte arzt physiotherapie apotheke friseur kosmetik kosmetikstudio fahrschule
autohaus reifen werkstatt elektro elektrotechnik sanitaer heizung heizungsbau haustechnik
dachdecker bedachungen bau baugeschaeft zimmerei holzbau metallbau tischlerei schreinerei maler
malermeister malerbetrieb fliesen gartenbau gaertnerei gaestehaus ferienwohnung ferienwohnungen
ferienhaus gasthof gasthaus landgasthof pension baeckerei metzgerei fleischerei weingut immobilien
hausverwaltung umzuege gebaeudereinigung druckerei optik juwelier ingenieurbuero architekten
avocat avocats notaire dentiste cabinet coiffure coiffeur institut boulangerie patisserie traiteur
plombier plomberie chauffage electricite couverture toiture menuiserie maconnerie peinture
carrelage immobilier gite gites chambresdhotes domaine chateau garage ambulances fleuriste
paysagiste charpente auberge opticien restaurant restaurants abogado abogados notaria clinica
peluqueria estetica panaderia restaurante hostal inmobiliaria reformas fontaneria construcciones
talleres taller muebles carpinteria ferreteria bodegas asesoria gestoria advogado advogados
advocacia imoveis odontologia contabilidade construtora moveis pousada imobiliaria transportes
farmacia oficina avvocato avvocati studiolegale studiodentistico dentista immobiliare ristorante
trattoria agriturismo edilizia idraulica arredamenti serramenti infissi impianti parrucchieri
autofficina carrozzeria albergo termoidraulica falegnameria advocaat advocaten tandarts
tandartspraktijk kapper kapsalon makelaar makelaardij makelaars bouw bouwbedrijf aannemer schilder
schilders schilderwerken loodgieter installatie installatietechniek dakwerken tuinen hoveniers
hovenier timmerwerken autobedrijf garagebedrijf bakkerij slagerij rijschool fysiotherapie praktijk
interieur keukens meubelen advokat advokater tandlaege tandlakare frisor maleren murer murermester
tomrer toemrer byg entreprenor entreprenoer bygg maleri redovisning vvs adwokat notariusz
stomatolog stomatologia dentysta fryzjer hurtownia meble okna drzwi remonty budowa dachy
kancelaria nieruchomosci noclegi agroturystyka pensjonat warsztat kwiaciarnia reality penzion
autoservis kadernictvi stavby stavebni nabytek zubar ubytovani stomatologiya remont mebel dveri
stroy stroi avtoservis gostinica krasota yurist notarius ingatlan etterem vendeglo panzio fogaszat
autoszerviz shop shops store stores supplies supply products gifts gift rugs costumes wholesale
shoes fashion fashions toys books bookshop crafts fabrics candles outfitters equipment clothing
apparel cyclery tackle
""".split()  # noqa: SIM905
_RARELY: Final = """
casino bet poker slot bingo porn sex escort dating nude loan kredit credit crypto coin token nft
forex trade invest swap wallet airdrop defi claim bank login signin secure verify account support
update service-client paypal amazon apple nike adidas outlet microsoft google facebook autodesk
news blog forum wiki museum school academy schule college university institute gov county city
town free download torrent stream game jobs cloud software data server host vpn proxy pharma
viagra cheap discount coupon deals best review compare guide directory magazine online24
""".split()  # noqa: SIM905
_CHEAP: Final = frozenset(
    """
tk ga ml cf gq xyz top click sbs cfd lol icu club site online website space buzz cyou pw bid win
loan rest fun live world network gdn pics digital mom pro one ink men date quest bond lat shop
store edu gov mil int arpa gob gouv
""".split()  # noqa: SIM905
)
_LONG: Final = 6
_TAIL: Final = 4
_TRADES: Final = frozenset(_WORDS)
_ENDS: Final = re.compile(
    "^(?:{})|(?:{})$".format(
        *(
            "|".join(sorted((w for w in _TRADES if len(w) >= least), key=len, reverse=True))
            for least in (_LONG, _TAIL)
        )
    )
)
_ANY: Final = re.compile("|".join(sorted(_TRADES, key=len, reverse=True)))
_NOT: Final = re.compile("|".join(map(re.escape, _RARELY)))


_GENERIC: Final = frozenset(
    ["tk", "ga", "ml", "cf", "gq", "io", "me", "co", "cc", "tv", "pw", "su", "ai"]
)
_OWN: Final = 8


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


def small_business(host: str) -> bool:
    """Whether a hostname is a domain of its own, named after a local trade or a small shop."""
    # What is cheap to see comes first: most names end here.
    if host.count(".") > 3 or not _ANY.search(host.lower()):
        return False
    name, suffix = _own(host)
    if not name or _CHEAP & set(suffix.split(".")) or name.count("-") > 3:
        return False
    letters = len(name) - name.count("-")
    return any(letters - len(word) >= 3 for piece in name.split("-") for word in _trades(piece))


def national(host: str) -> bool:
    """Whether a hostname is a domain of its own under a country's suffix."""
    if host.count(".") > 3:
        return False
    name, suffix = _own(host)
    first, _, last = suffix.rpartition(".")
    return (
        len(name) >= _OWN
        and len(last) == 2
        and last not in _GENERIC
        and first in ("", "co", "com")
        and not name.startswith("xn--")
    )


def _own(host: str) -> tuple[str, str]:
    """The name and the suffix of a domain of one's own; empty strings for any other hostname."""
    domain = host.lower().rstrip(".").removeprefix("www.")
    if not domain.isascii() or any("0" <= c <= "9" for c in domain) or _NOT.search(domain):
        return "", ""
    suffix = _suffixes().publicsuffix(domain)
    if suffix is None or domain == suffix:
        return "", ""
    name = domain[: -len(suffix) - 1]
    return ("", "") if "." in name else (name, suffix)


def _trades(piece: str) -> list[str]:
    """Trade words of one piece of a name."""
    if piece in _TRADES:
        return [piece]
    return [match.group() for match in _ENDS.finditer(piece)]
