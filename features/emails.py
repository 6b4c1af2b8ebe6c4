"""What kind of mailbox an e-mail address names: a company's, a free one, a throw-away one or a school's.

An address is personal data: only its class may leave this module, and nothing here raises, prints or keeps it. The
class goes by the domain alone. The lists hold the providers that leads really use, worldwide and in France; they
cannot be complete, and a provider that is missing reads as business.
"""

import re
from typing import Final

#: In the order of precedence: a throw-away address at a school's domain is still throw-away; business is what is left.
EMAIL_CLASSES: Final = ("disposable", "free", "education", "business")


def _domains(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Every address below one of these domains has the class, mail.yahoo.co.uk like yahoo.co.uk.
_FREE: Final = _domains(
    """
    gmail.com googlemail.com icloud.com me.com mac.com privaterelay.appleid.com msn.com passport.com windowslive.com
    live.com live.fr live.be live.ca live.nl live.it live.de live.at live.ie live.se live.dk live.no live.cl live.in
    live.jp live.cn live.co.uk live.co.za live.com.au live.com.ar live.com.mx live.com.pt aol.com aol.fr aol.de
    aol.co.uk aim.com love.com ymail.com rocketmail.com myyahoo.com netscape.net verizon.net proton.me
    protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tutamail.com tuta.io tuta.com keemail.me duck.com
    mozmail.com simplelogin.com fastmail.com fastmail.fm hushmail.com runbox.com mailfence.com riseup.net
    disroot.org posteo.de posteo.net mailbox.org startmail.com hey.com zohomail.com zoho.com zohomail.eu mail.com
    email.com usa.com europe.com consultant.com engineer.com inbox.com lycos.com excite.com juno.com netzero.net
    rediffmail.com rediff.com sify.com caramail.com caramail.fr inbox.lv seznam.cz centrum.cz orange.fr wanadoo.fr
    voila.fr free.fr aliceadsl.fr libertysurf.fr online.fr laposte.net sfr.fr neuf.fr cegetel.net club-internet.fr
    9online.fr numericable.fr numericable.com noos.fr bbox.fr dartybox.com tele2.fr akeonet.com ovi.com mailo.com
    mailo.fr netcourrier.com net-c.com net-c.fr francite.com ifrance.com infonie.fr worldonline.fr magic.fr
    nordnet.fr mageos.com no-log.org zaclys.net skynet.be telenet.be proximus.be scarlet.be voo.be bluewin.ch
    sunrise.ch hispeed.ch swissonline.ch romandie.com pt.lu internet.lu vo.lu videotron.ca sympatico.ca bell.net
    rogers.com shaw.ca telus.net cogeco.ca globetrotter.net comcast.net att.net sbcglobal.net bellsouth.net cox.net
    charter.net earthlink.net optonline.net roadrunner.com frontier.com frontiernet.net windstream.net
    mindspring.com centurylink.net btinternet.com btopenworld.com sky.com virginmedia.com ntlworld.com
    blueyonder.co.uk talktalk.net tiscali.co.uk virgin.net plus.net plusnet.com eircom.net web.de t-online.de
    freenet.de arcor.de online.de vodafone.de kabelmail.de email.de aon.at chello.at libero.it virgilio.it
    tiscali.it alice.it tin.it inwind.it iol.it fastwebnet.it tim.it telefonica.net terra.es movistar.es ya.com
    sapo.pt netcabo.pt clix.pt mail.pt ziggo.nl kpnmail.nl xs4all.nl planet.nl home.nl hetnet.nl upcmail.nl
    casema.nl telfort.nl online.no telia.com comhem.se bredband.net tele2.se mail.dk jubii.dk luukku.com wp.pl o2.pl
    onet.pl op.pl interia.pl poczta.fm poczta.onet.pl vp.pl tlen.pl email.cz volny.cz post.cz azet.sk zoznam.sk
    centrum.sk freemail.hu citromail.hu abv.bg mail.bg otenet.gr mail.ru inbox.ru list.ru bk.ru rambler.ru ya.ru
    ukr.net i.ua walla.com walla.co.il mynet.com qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn
    sohu.com 139.com 189.cn aliyun.com tom.com naver.com hanmail.net daum.net nate.com docomo.ne.jp ezweb.ne.jp
    softbank.ne.jp nifty.com excite.co.jp bigpond.com bigpond.net.au optusnet.com.au iinet.net.au tpg.com.au
    xtra.co.nz uol.com.br bol.com.br terra.com.br ig.com.br globo.com globomail.com r7.com oi.com.br prodigy.net.mx
    mweb.co.za telkomsa.net vodamail.co.za menara.ma topnet.tn planet.tn
    """
)

# Providers that own their name in every country: yahoo.com, yahoo.co.jp, hotmail.com.br, gmx.at.
_FREE_EVERYWHERE: Final = re.compile(r"(?:yahoo|hotmail|outlook|gmx|yandex)\.(?:com?\.)?(?:com|net|[a-z]{2})")

_DISPOSABLE: Final = _domains(
    """
    0-mail.com 10minutemail.com 10minutemail.net 10minutemail.co.uk 20minutemail.com 20minutemail.it anonbox.net
    anonymbox.com armyspy.com burnermail.io byom.de cuvox.de dayrep.com deadaddress.com discard.email
    discardmail.com discardmail.de dispostable.com dropmail.me einrot.com emailfake.com emailondeck.com emltmp.com
    fake-mail.net fakeinbox.com fakemail.net fakemailgenerator.com filzmail.com fleckens.hu getairmail.com
    getnada.com grr.la guerrillamail.biz guerrillamail.com guerrillamail.de guerrillamail.info guerrillamail.net
    guerrillamail.org guerrillamailblock.com gustr.com haltospam.com harakirimail.com incognitomail.org
    inboxkitten.com jetable.com jetable.fr.nf jetable.net jetable.org jourrapide.com kasmail.com link2mail.net
    mail-temp.com mail-temporaire.com mail-temporaire.fr mail.tm mailcatch.com maildrop.cc mailexpire.com
    mailforspam.com mailinator.com mailinator.net mailinator2.com mailmoat.com mailnesia.com mailnull.com
    mailpoof.com mailsac.com mailtemp.info mailtothis.com meltmail.com minutemail.com minuteinbox.com mintemail.com
    moakt.cc moakt.com mohmal.com monemail.fr.nf mt2015.com mytemp.email mytrashmail.com nada.email nomail.xl.cx
    nospam.ze.tc nospamfor.us nowmymail.com one-time.email owlymail.com pokemail.net rhyta.com sharklasers.com
    smailpro.com sneakemail.com sogetthis.com spam4.me spambog.com spambox.us spamex.com spamfree24.org
    spamgourmet.com spamgourmet.net spamgourmet.org spamhole.com speed.1s.fr spoofmail.de suremail.info
    superrito.com teleworm.us temp-mail.io temp-mail.org temp-mail.ru temp.email tempail.com tempemail.com
    tempemail.net tempinbox.com tempmail.com tempmail.de tempmail.dev tempmail.eu tempmail.io tempmail.net
    tempmail.plus tempmailo.com tempomail.fr temporary-mail.net temporaryemail.net temporaryinbox.com tempr.email
    throwawaymail.com throwam.com tmail.ws tmailor.com tmpmail.net tmpmail.org trash-mail.at trash-mail.com
    trash-mail.de trashmail.at trashmail.com trashmail.de trashmail.fr trashmail.io trashmail.me trashmail.net
    trashmail.org trashmail.ws trbvm.com wegwerfemail.de wegwerfmail.de wegwerfmail.net wegwerfmail.org yepmail.net
    yopmail.com yopmail.fr yopmail.net cool.fr.nf courriel.fr.nf moncourrier.fr.nf monmail.fr.nf mega.zik.dj
    """
)

_EDUCATION: Final = _domains(
    """
    polytechnique.fr sciencespo.fr sciences-po.fr hec.fr essec.fr escp.eu escpeurope.eu em-lyon.com edhec.com psl.eu
    ens.fr ens-lyon.fr ehess.fr ephe.fr inalco.fr centralesupelec.fr supelec.fr ecp.fr enpc.fr enac.fr ensta.fr
    ensae.fr utc.fr utt.fr utbm.fr imt.fr imt-atlantique.fr telecom-paris.fr telecom-sudparis.eu mines-paristech.fr
    mines-nancy.org cnam.fr lecnam.net agroparistech.fr institut-agro.fr unistra.fr uca.fr unicaen.fr unilim.fr
    unilasalle.fr unicatt.it umontpellier.fr parisnanterre.fr u-bordeaux.fr u-paris.fr u-paris2.fr u-pec.fr
    u-psud.fr u-picardie.fr u-bourgogne.fr u-cergy.fr uvsq.fr uha.fr cyu.fr icp.fr epita.fr epitech.eu isep.fr
    esiee.fr esilv.fr ece.fr kedgebs.com ethz.ch epfl.ch unige.ch unil.ch unifr.ch unine.ch uzh.ch unibe.ch
    unibas.ch unisg.ch ulb.be uclouvain.be uliege.be unamur.be kuleuven.be ugent.be vub.be uantwerpen.be uni.lu
    uva.nl vu.nl tudelft.nl tue.nl utwente.nl uu.nl rug.nl leidenuniv.nl maastrichtuniversity.nl lmu.de tum.de
    polimi.it polito.it unibo.it uniroma1.it unimi.it unipd.it upm.es uam.es ucm.es uc3m.es ulisboa.pt up.pt uc.pt
    ku.dk dtu.dk au.dk lu.se kth.se uu.se chalmers.se uio.no ntnu.no helsinki.fi aalto.fi tcd.ie ucd.ie mcgill.ca
    utoronto.ca ubc.ca umontreal.ca ulaval.ca uqam.ca uqac.ca uottawa.ca concordia.ca usherbrooke.ca polymtl.ca
    hec.ca uwaterloo.ca ualberta.ca sfu.ca usp.br ac-aix-marseille.fr ac-amiens.fr ac-besancon.fr ac-bordeaux.fr
    ac-caen.fr ac-clermont.fr ac-corse.fr ac-creteil.fr ac-dijon.fr ac-grenoble.fr ac-guadeloupe.fr ac-guyane.fr
    ac-lille.fr ac-limoges.fr ac-lyon.fr ac-martinique.fr ac-mayotte.fr ac-montpellier.fr ac-nancy-metz.fr
    ac-nantes.fr ac-nice.fr ac-normandie.fr ac-orleans-tours.fr ac-paris.fr ac-poitiers.fr ac-reims.fr ac-rennes.fr
    ac-reunion.fr ac-rouen.fr ac-strasbourg.fr ac-toulouse.fr ac-versailles.fr ac-polynesie.fr ac-noumea.fr
    ens-rennes.fr ens-paris-saclay.fr ens-cachan.fr rwth-aachen.de
    """
)

# Names that only schools bear: .edu, .edu.au, .ac.uk, .k12.ca.us; French universities, engineering schools and lycées;
# German and Austrian universities; what schools put before their domain for students.
_EDUCATION_NAMES: Final = re.compile(
    r"""
    (?:.+\.)?
    (?: [^.]+\.edu(?:\.[a-z]{2})? | [^.]+\.ac\.[a-z]{2} | k12\.[a-z]{2}\.us
      | (?:univ|universite|insa|iut|lycee)-[^.]+\.fr | [^.]+-(?:univ|universite)\.fr
      | (?:uni|tu|fh)-[^.]+\.(?:de|at)
      | (?:etu|etud|etudiants?|students?|stud)\.[^.]+\.[a-z]+ )
    """,
    re.VERBOSE,
)

# One label of a domain, in any script; a domain ends with a label that is no number.
_LABEL: Final = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDRESS: Final = re.compile(rf"[^\s@<>(),;:]{{1,64}}@((?:{_LABEL}\.)+(?!\d)[^\W_][\w-]*[^\W_])")


def email_class(address: str | None) -> str | None:
    """Return the class of an e-mail address.

    Parameters
    ----------
    address
        One address as people type it; case and surrounding white space do not matter.

    Returns
    -------
    str or None
        One of `EMAIL_CLASSES`: "disposable", "free" (personal mailboxes, those of access providers and forwarding
        aliases included), "education" (schools and universities, staff and students alike) or "business" (every other
        domain, public bodies included). None where there is no address or the text is not one.

    Examples
    --------
    >>> email_class("Jane.Doe@Example.com"), email_class("jane@mail.yahoo.co.uk"), email_class("j@univ-lyon1.fr")
    ('business', 'free', 'education')
    >>> email_class("jane at example.com") is None
    True
    """
    if not isinstance(address, str):
        return None
    found = _ADDRESS.fullmatch(address.strip().lower())
    if found is None or len(found[0]) > 254:
        return None
    labels = found[1].split(".")
    domains = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    if not _DISPOSABLE.isdisjoint(domains):
        return "disposable"
    if not _FREE.isdisjoint(domains) or any(_FREE_EVERYWHERE.fullmatch(domain) for domain in domains):
        return "free"
    if not _EDUCATION.isdisjoint(domains) or _EDUCATION_NAMES.fullmatch(found[1]):
        return "education"
    return "business"
