//! What is told of findings, in Dutch.

use rules::finding::Fact::{
    Address, Authority, Count, Detail, End, Link, Name, Other, Server, Target, Zone,
};
use rules::finding::{Actor, Code, Finding, RecordAction, Severity};

use super::{Facts, Labels};

pub(super) const LABELS: Labels = Labels {
    ready: "in orde",
    not_seen: "er is geen fout gevonden, maar er was te weinig te zien om het in orde te noemen",
    whose_turn: "wie moet handelen",
    records: "records",
    also: "verder",
    evidence: "wie zei wat",
    wait_until: "tot",
    next_check: "volgende controle",
    network: "het hele netwerk",
    columns: ["actie", "naam", "type", "nu", "moet zijn"],
};

pub(super) fn turn(actor: Actor) -> &'static str {
    match actor {
        Actor::Owner => "de eigenaar van het domein",
        Actor::Admin => "de beheerder van het netwerk",
        Actor::Host => "de hosting: vraag het de klantenservice",
        Actor::Nobody => "niemand: het komt vanzelf goed",
    }
}

pub(super) fn action(action: RecordAction) -> &'static str {
    match action {
        RecordAction::Add => "toevoegen",
        RecordAction::Change => "wijzigen",
        RecordAction::Remove => "verwijderen",
        RecordAction::Keep => "laten staan",
    }
}

#[rustfmt::skip] // One text a line.
pub(super) fn text(finding: &Finding) -> String {
    let facts = Facts(finding);
    let aside = |fact| facts.aside(fact);
    let target = || facts.or(Target, "het adres van de hosting");
    let zone = || facts.or(Zone, "het domein");
    let steps = || facts.put(" (", Count, " stappen)");
    let row = || facts.or(Name, "een rij");
    match finding.code {
        Code::ClockWrong => format!("De klokken van deze machine en van {} lopen {} minuten uiteen, dus er valt niets mee te beoordelen. Zet de klok die verkeerd loopt gelijk.", facts.or(Other, "de database"), facts.or(Count, "meer dan tien")),
        Code::Blind => format!("Geen enkele DNS-resolver antwoordt{}, dus er is niets te zien. Controleer `checks.resolvers` of /etc/resolv.conf.", aside(Server)),
        Code::Copy => format!("Een andere installatie handelt voor dit netwerk{}{}, dus deze verstuurt en schrijft niets. Is dit nu de installatie die telt, voer dan `closte-sync enable --here` uit.", aside(Other), facts.put(", op ", Detail, "")),
        Code::OtherNetwork => format!("Het grootboek is van een ander netwerk{}, dus er wordt niets verstuurd of geschreven. Verwijs closte-sync naar de juiste wp-config.php of naar een eigen grootboek; is dit nu het netwerk, voer dan `closte-sync enable --here` uit.", aside(Detail)),
        Code::DatabaseRestored => "De database is naar een eerdere toestand teruggezet, dus wat erin ontbreekt geldt niet als verdwenen. Bekijk `closte-sync plan` en voer `closte-sync apply HASH` uit met de hash die daar staat.".to_owned(),
        Code::SwitchedOff => "Closte staat uit in Ultimate Multisite, dus er wordt daar geen naam toegevoegd. Voer `closte-sync enable` uit.".to_owned(),
        Code::KeyRefused => format!("Closte weigert de API-sleutel{}, dus er kan daar niets worden toegevoegd. Controleer `CLOSTE_CLIENT_API_KEY` en voer `closte-sync test-connection` uit.", aside(Detail)),
        Code::NoTargets => format!("Het is niet bekend waarheen domeinen moeten wijzen{}. Zet `checks.targets` op het adres van het netwerk.", aside(Detail)),
        Code::ListDoubt => format!("Op de lijst van Closte ontbreekt wat er eerder op stond, dus wat daaruit zou volgen wordt tegengehouden{}. Bekijk `closte-sync plan`; `closte-sync apply HASH` laat het door.", steps()),
        Code::Brake => format!("Er zou meer worden verwijderd dan in een uur mag, dus verwijderen wordt tegengehouden{}. Bekijk `closte-sync plan`; `closte-sync apply HASH` laat het door.", steps()),
        Code::Doubt => format!("Wat er van het netwerk is gelezen, is moeilijk te geloven, dus wat daaruit zou volgen wordt tegengehouden{}. Bekijk `closte-sync plan`; `closte-sync apply HASH` laat het door.", steps()),
        Code::NotValidated => format!("Geen van de gebruikte resolvers controleert DNSSEC{}, dus foute handtekeningen kunnen onopgemerkt blijven. Zet er een die dat wel doet in `checks.resolvers`.", aside(Server)),

        Code::NameTooLong => format!("De naam is te lang{}: WordPress bewaart 191 tekens, en DNS staat er 63 toe tussen twee punten. Kies een kortere.", facts.put(" (", Count, " tekens)")),
        Code::ReservedName => format!("In de publieke DNS kan deze naam niet bestaan: {}. Kies een naam die geregistreerd kan worden.", facts.reserved(["het is een IP-adres", "namen onder `.", "` zijn gereserveerd", "het is een IP-adres, of de uitgang is gereserveerd"])),
        Code::SpellingNeverMatched => format!("Zoals {} geschreven is, vindt WordPress die niet met zekerheid{}. Schrijf de naam zoals browsers hem sturen, zonder accenten en spaties.", row(), facts.put(", en misschien voor ", Detail, "")),
        Code::ProtectedName => format!("De naam is beschermd{}: hij wordt bij Closte nooit toegevoegd of verwijderd.", aside(Detail)),

        Code::SiteMissing => format!("De naam is gekoppeld via {}, waarvan de site niet bestaat. Koppel de naam aan een andere site, of verwijder die koppeling.", row()),
        Code::SiteDeleted => format!("De naam is gekoppeld via {}, waarvan de site verwijderd is of als spam geldt. Herstel de site, of koppel de naam aan een andere.", row()),
        Code::TwoMappings => format!("De naam is twee keer gekoppeld{}{}; WordPress kiest een van de twee. Verwijder de koppeling die verkeerd is.", facts.put(", als ", Name, ""), facts.put(" en als ", Other, "")),
        Code::TwinOnOtherSite => format!("De naam met `www.` en die zonder leiden naar verschillende sites{}{}; voor WordPress zijn ze hetzelfde. Koppel beide aan dezelfde site, of verwijder er een.", facts.put(": ", Name, ""), facts.put(" en ", Other, "")),
        Code::OtherRowWins => format!("WordPress kiest voor deze naam eerst een andere rij{}. Die is van een ander netwerk of leidt nergens heen: verwijder die.", facts.put(": ", Other, "")),

        Code::InvalidDomain => format!("Closte weigert deze naam voorgoed{}. Verbeter de koppeling, of verwijder die.", aside(Detail)),
        Code::HostSaidNo => format!("Closte weigerde de naam toe te voegen{}, en heeft hem niet. Volg op wat Closte zegt, of vraag het de klantenservice.", aside(Detail)),
        Code::NotOurs => "De naam staat bij Closte, is niet gekoppeld, en closte-sync heeft hem niet toegevoegd; hij wordt met rust gelaten. Koppel hem, of verwijder hem op het dashboard van Closte.".to_owned(),
        Code::AlreadyAtHost => "De naam stond al bij Closte voordat closte-sync kwam. Er hoeft niets te gebeuren.".to_owned(),

        Code::NoDelegation => format!("{} is niet geregistreerd, of er zijn geen nameservers ingesteld waar het geregistreerd is. Registreer of verleng het, of laat daar de nameservers instellen.", facts.or(Name, "Het domein")),
        Code::LameDelegation => format!("Een nameserver die voor {} is ingesteld, is er niet verantwoordelijk voor{}. Laat de juiste nameservers instellen waar het domein geregistreerd is, of laat de DNS-provider deze herstellen.", zone(), aside(Server)),
        Code::DnsTimeout => format!("Nameservers van {} antwoorden niet{}. Laat de DNS-provider ze herstellen, of stel andere in waar het domein geregistreerd is.", zone(), aside(Server)),
        Code::DnssecBogus => format!("De DNSSEC-records van {} kloppen niet{}, dus voor veel bezoekers bestaat het domein niet. Verwijder het DS-record waar het domein geregistreerd is, of vervang het door dat van de DNS-provider.", zone(), aside(Detail)),
        Code::Servfail => format!("De nameservers van {} antwoorden met een fout{}. Laat de DNS-provider dat herstellen.", zone(), aside(Detail)),
        Code::NoSuchName => format!("De naam bestaat niet in DNS. Voeg een record toe dat hem naar {} laat wijzen.", target()),
        Code::CnameLoop => format!("De CNAME-records van de naam verwijzen in een kring naar elkaar{}. Verwijder het CNAME-record en laat de naam naar {} wijzen.", aside(Name), target()),
        Code::CnameDangling => format!("Het CNAME-record van de naam verwijst naar een naam die niet bestaat{}. Verwijder het en laat de naam naar {} wijzen.", aside(Name), target()),
        Code::NoAddress => format!("De naam bestaat in DNS, maar heeft geen adres. Voeg een record toe dat hem naar {} laat wijzen.", target()),
        Code::WildcardRecordOnly if finding.severity == Severity::Info => format!("De naam heeft geen eigen DNS-record: het record `*` van {} geldt ervoor, en dat klopt. Met een eigen record blijft het zo, wat er ook met het andere gebeurt.", zone()),
        Code::WildcardRecordOnly => format!("De naam heeft geen eigen DNS-record: het record `*` van {} geldt ervoor en wijst ergens anders heen{}. Voeg een record toe dat hem naar {} laat wijzen.", zone(), aside(Address), target()),
        Code::Proxied => format!("Er staat een proxy voor de naam{}, dus de hosting wordt niet rechtstreeks bereikt en krijgt geen certificaat. Laat het record naar {} wijzen met de proxy uit (\"DNS only\").", aside(Address), target()),
        Code::CnameElsewhere => format!("Het CNAME-record van de naam verwijst naar een andere{} die ergens anders heen wijst{}. Laat de naam in plaats daarvan naar {} wijzen.", aside(Name), aside(Address), target()),
        Code::OldAddress => format!("De naam wijst nog naar een adres dat de hosting vroeger had{}. Wijzig het in {}.", aside(Address), target()),
        Code::PrivateAddress => format!("De naam wijst naar een adres dat vanaf het internet niet te bereiken is{}. Wijzig het in {}.", aside(Address), target()),
        Code::Parked => format!("De naam wijst naar een parkeerpagina{}, zoals registrars die voor nieuwe domeinen instellen. Laat hem naar {} wijzen.", aside(Address), target()),
        Code::OtherAddress => format!("De naam wijst naar een andere server{}. Wijzig dat in {}.", aside(Address), target()),
        Code::Ipv6Elsewhere => format!("Het IPv4-adres van de naam klopt, maar het IPv6-adres wijst ergens anders heen{}: veel bezoekers, en wie certificaten uitgeeft, gaan daar eerst heen. Verwijder het AAAA-record.", aside(Address)),
        Code::PartlyElsewhere => format!("Een deel van de adressen van de naam klopt, maar andere wijzen ergens anders heen{}, dus sommige bezoekers komen daar terecht. Verwijder die.", aside(Address)),
        Code::ServersDisagree => format!("De nameservers van {} geven verschillende antwoorden{}, dus sommige bezoekers komen ergens anders terecht. Verbeter de records op de server die het mis heeft, of laat de DNS-provider ze gelijk maken.", zone(), aside(Server)),

        Code::CaaForbids => format!("Een CAA-record van {} verbiedt {} een certificaat uit te geven. Voeg er een toe dat het toestaat.", facts.or(Name, "het domein"), facts.or(Authority, "de certificaatautoriteit van de hosting")),
        Code::CaaWildcard => format!("Een CAA-record van {} verbiedt {} een certificaat voor een wildcard uit te geven. Voeg een `issuewild`-record toe dat het toestaat.", facts.or(Name, "het domein"), facts.or(Authority, "de certificaatautoriteit van de hosting")),
        Code::CaaUnreadable => format!("De nameservers antwoorden niet op de vraag naar CAA-records{}, en zonder antwoord wordt geen certificaat uitgegeven. Laat de DNS-provider dat herstellen.", aside(Name)),
        Code::Port80Closed => format!("Op poort 80 antwoordt niemand{}, en daar controleert de certificaatautoriteit voordat ze uitgeeft. Vraag de klantenservice van Closte die open te zetten.", aside(Address)),
        Code::Port80Elsewhere => format!("Poort 80 stuurt door naar {}, en dat wijst ergens anders heen{}, dus er kan geen certificaat worden uitgegeven. Laat ook die naam naar {} wijzen, of laat het doorsturen verwijderen.", facts.or(Other, "een andere naam"), aside(Detail), target()),
        Code::RedirectLoop => format!("Poort 80 stuurt in een kring of meer dan tien keer door{}, dus er kan geen certificaat worden uitgegeven. Verbeter de doorverwijzingen in WordPress en de plugins.", aside(Other)),

        Code::WildcardByHand => format!("Een wildcard krijgt pas een certificaat na een stap die iemand op het dashboard van Closte zet{}.", facts.put(": ", Link, "")),
        Code::Port443Closed => format!("De server weigert verbindingen op poort 443{}. Vraag de klantenservice van Closte waarom.", aside(Address)),
        Code::Port443Filtered => format!("De server antwoordt niet op poort 443{}: iets houdt tegen wat daarheen gaat. Vraag de klantenservice van Closte waarom.", aside(Address)),
        Code::NoCertificate => format!("De server heeft geen certificaat voor de naam{}. Vraag de klantenservice van Closte er een uit te geven.", aside(Address)),
        Code::DefaultCertificate => format!("De server toont zijn standaardcertificaat{}, zoals voor elke naam die hij niet kent. Vraag de klantenservice van Closte er een voor deze naam uit te geven.", aside(Address)),
        Code::OtherName => format!("Het certificaat van de server{} is voor andere namen{}. Vraag de klantenservice van Closte er een voor deze naam uit te geven.", aside(Address), aside(Detail)),
        Code::Expired => format!("Het certificaat{} is verlopen{}. Vraag de klantenservice van Closte het te vernieuwen.", aside(Address), facts.put(" (op ", End, ")")),
        Code::NotYetValid => format!("Het certificaat{} is nog niet geldig{}. Vraag de klantenservice van Closte het te vervangen.", aside(Address), facts.put(" (het geldt vanaf ", End, ")")),
        Code::SelfSigned => format!("Het certificaat is door zichzelf ondertekend{}, dus geen browser accepteert het. Vraag de klantenservice van Closte er een uit te geven.", aside(Address)),
        Code::IncompleteChain => format!("De server laat een tussencertificaat weg{}, dus sommige browsers accepteren het certificaat niet. Vraag de klantenservice van Closte de hele keten te sturen.", aside(Address)),
        Code::WeakCertificate => format!("Het certificaat gebruikt algoritmen die te zwak zijn{}, dus geen browser accepteert het. Vraag de klantenservice van Closte het te vervangen.", aside(Address)),
        Code::UnknownIssuer => format!("Geen autoriteit die browsers kennen heeft het certificaat ondertekend{}{}. Vraag de klantenservice van Closte een ander uit te geven.", aside(Address), aside(Authority)),
        Code::DiffersByAddress => format!("De adressen van de naam tonen verschillende certificaten{}. Vraag de klantenservice van Closte overal hetzelfde te gebruiken.", aside(Address)),
        Code::RenewalOverdue => format!("Het certificaat{} had al vernieuwd moeten zijn{}. Vraag de klantenservice van Closte waarom dat niet gebeurde.", aside(Address), facts.put(" (het verloopt op ", End, ")")),
        Code::ExpiresSoon => format!("Het certificaat{} verloopt binnenkort{} en is niet vernieuwd. Vraag de klantenservice van Closte het meteen te vernieuwen.", aside(Address), facts.put(" (op ", End, ")")),

        Code::OtherMapping => format!("WordPress antwoordt op deze naam voor een andere koppeling{}. Verwijder de koppeling die verkeerd is; `closte-sync domains show NAME` zegt meer.", facts.put(": ", Other, "")),
        Code::OtherServer => format!("Het certificaat is goed, maar wat er antwoordt is niet deze WordPress{}. Vraag de klantenservice van Closte waar deze naam daar heen gaat.", aside(Address)),

        Code::MappingDisabled => "Domeinkoppeling staat uit, dus WordPress toont geen site op een eigen domein. Zet die aan in Ultimate Multisite > Settings > Domain Mapping.".to_owned(),
        Code::NoSunrise => "WordPress koppelt geen enkel domein: `SUNRISE` staat niet in wp-config.php, of `sunrise.php` ontbreekt. `closte-sync doctor` zegt welke van de twee, en wat te doen.".to_owned(),
        Code::MappingInactive => format!("De naam is gekoppeld via {}, en die staat uit. Maak die actief in Ultimate Multisite > Domains.", row()),
        Code::SiteArchived => format!("De naam is gekoppeld via {}, waarvan de site gearchiveerd is, dus bezoekers zien die niet. Haal de site uit het archief onder Sites in het netwerkbeheer.", row()),
        Code::StageByHand => format!("Iemand anders heeft de fase van {} gezet{}{}, en die zegt niet hoe het met het domein staat. Zet die goed in Ultimate Multisite > Domains.", row(), facts.put(" op `", Detail, "`"), facts.put(", waar `", Other, "` was geschreven")),
        Code::CacheStale => format!("WordPress antwoordt nog met wat in zijn objectcache staat over {}: `wp cache flush` verhelpt dat, behalve voor een cache in APCu, die alleen WordPress zelf of een herstart van PHP leegt.", row()),
        Code::SignUpPage => format!("WordPress stuurt bezoekers naar zijn aanmeldpagina, hoewel {} naar een site leidt. `closte-sync doctor` zegt misschien waarom.", row()),
        Code::NotMapped => "De naam is aan geen site gekoppeld. `closte-sync domains add NAME --site SITE` koppelt hem.".to_owned(),

        Code::RateLimited => "Closte vroeg om een tijd met rust gelaten te worden. Wat nog moet gebeuren, volgt vanzelf.".to_owned(),
        Code::HostUnreachable => format!("Closte is niet te bereiken{}. Het wordt vanzelf opnieuw geprobeerd.", aside(Detail)),
        Code::Paused => "Closte antwoordde een paar keer niet, dus er wordt even niets gevraagd. Daarna gaat het vanzelf verder.".to_owned(),
        Code::OutcomeUnknown => format!("Closte gaf geen duidelijk antwoord toen de naam werd gestuurd{}. De lijst van Closte, of nog eens vragen, geeft uitsluitsel.", aside(Detail)),
        Code::Vanished => "De naam stond bij Closte, maar is daar verdwenen. Hij wordt vanzelf weer toegevoegd.".to_owned(),
        Code::NotAddedYet => "De naam staat nog niet bij Closte. De volgende ronde voegt hem toe.".to_owned(),
        Code::NotPropagated => format!("De records kloppen, maar sommige resolvers{} hebben nog wat er eerder stond{}. Dat gaat vanzelf over.", aside(Server), aside(Address)),
        Code::BudgetSpent => format!("Deze week zijn er zoveel certificaten voor {} uitgegeven{} dat er voorlopig geen bij komen. Daarna gaat het vanzelf verder.", zone(), aside(Count)),
        Code::Issuing => "Het certificaat wordt uitgegeven. Dat duurt enkele minuten, soms een uur.".to_owned(),
        Code::Unseen => format!("De laatste controle was niet mogelijk{}. Die wordt vanzelf herhaald.", aside(Detail)),
        Code::NoProof => "Niets bewijst dat het deze WordPress is die antwoordt.".to_owned(),
    }
}
