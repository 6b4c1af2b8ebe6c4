"""The words of job titles in English and French, as tables of phrases: what `titles.py` knows, without how it reads.

Phrases are written as people write them, in the masculine singular: `titles.py` folds the tables and the titles
alike, so case, accents, feminine and plural forms need no entry. The longest phrase that fits is the one that counts,
so an exception is a longer phrase: *media buyer* is marketing although *buyer* is purchasing.
"""

from typing import Final

NOTHING: Final = "nothing"  # a phrase that only keeps its words from being read one by one
HELPER: Final = "helper"
RETIRED: Final = "retired"

# Words that name the job itself.
JOBS: Final = {
    "purchasing": "buyer, purchaser, acheteur, approvisionneur",
    "finance": """accountant, comptable, agent comptable, controller, comptroller, auditor, auditeur, treasurer,
        trésorier, CFO, DAF, RAF, contrôleur de gestion, contrôleur financier, bookkeeper, actuary, actuaire,
        fiscaliste""",
    "it": """developer, développeur, programmer, programmeur, CTO, DSI, CIO, CISO, RSSI, devops, sysadmin, DBA,
        webmaster, informaticien, administrateur système, administrateur réseau, administrateur de bases de
        données, system administrator, network administrator, database administrator, scrum master, product owner,
        information officer, IT support, support informatique, software architect, solution architect, cloud
        architect, enterprise architect, data scientist, architecte logiciel, architecte solution, architecte SI""",
    "engineering": "architect, architecte, product engineer, ingénieur produit, dessinateur, projeteur",
    "operations": """quality controller, contrôleur qualité, quality auditor, auditeur qualité, air traffic
        controller, conducteur de travaux, magasinier, cariste""",
    "sales": """salesman, saleswoman, salesperson, vendeur, téléprospecteur, technico-commercial, sales engineer,
        ingénieur d'affaires, ingénieur commercial, business developer, sales developer, property developer,
        account executive, account manager, key account manager, KAM, SDR, BDR, CRO, chargé d'affaires, responsable
        d'affaires, agent immobilier, real estate agent""",
    "marketing": """CMO, community manager, media buyer, acheteur média, acheteur d'espaces, copywriter, attaché de
        presse, graphiste, graphic designer, directeur artistique, art director, dircom, growth hacker""",
    "hr": "recruiter, recruteur, headhunter, DRH, RRH, CHRO, HRBP, talent acquisition, sourceur",
    "legal": """lawyer, attorney, avocat, avocate, juriste, solicitor, barrister, paralegal, notaire, notary,
        counsel, huissier, greffier, magistrat, juge, judge, DPO, data protection officer, CLO, company secretary,
        délégué à la protection des données""",
    "executive": """CEO, chief executive, chief executive officer, managing director, MD, PDG, DG, directeur
        général, président directeur général, executive director, directeur exécutif, owner, founder, cofounder,
        fondateur, cofondateur, proprietor, propriétaire, gérant, cogérant, chef d'entreprise, dirigeant
        d'entreprise, dirigeant, entrepreneur, patron, country manager, secrétaire général, secretary general,
        chief of staff, chef de cabinet, directeur de cabinet, maire, mayor""",
    "research": """researcher, chercheur, enseignant-chercheur, scientist, research engineer, ingénieur de
        recherche, ingénieur d'études et de recherche, postdoc, postdoctorant, doctorant, PhD student, PhD
        candidate, maître de conférences, directeur de recherche, chargé de recherche, clinical research associate""",
    "education": """teacher, professor, prof, professeur, enseignant, instituteur, lecturer, formateur, trainer,
        tutor, proviseur, principal de collège, headmaster, dean, doyen, directeur des études, curriculum
        developer, student affairs, student services, student success, vie étudiante""",
    "health": """doctor, médecin, physician, nurse, infirmier, pharmacist, pharmacien, dentist, dentiste, surgeon,
        chirurgien, psychologist, psychologue, kinésithérapeute, therapist, sage-femme, midwife, aide-soignant,
        auxiliaire de vie, assistant social, social worker, travailleur social, éducateur spécialisé, assistant
        maternel, vétérinaire, veterinarian, orthophoniste, ergothérapeute, radiologue, dental assistant, assistant
        dentaire, opticien, caregiver""",
    "support": "téléconseiller",
    "administration": """receptionist, réceptionniste, standardiste, agent d'accueil, hôtesse d'accueil, hôte
        d'accueil, executive assistant, EA, personal assistant, PA, administrative assistant, assistant
        administratif, assistant de direction, attaché de direction, secrétaire de direction, executive secretary,
        office manager""",
    "student": "student, étudiant, lycéen, élève, undergraduate",
}

# Fields of work that every firm has.
FIELDS: Final = {
    "purchasing": """purchasing, purchase, procurement, sourcing, buying, achat, approvisionnement, appro,
        supplier, fournisseur, vendor management, marchés publics, commande publique, category manager, category
        management, procure to pay, source to pay, purchase to pay, P2P, S2P""",
    "finance": """finance, financial, financier, fiscal, tax, treasury, trésorerie, accounting, comptabilité,
        compta, audit, contrôle de gestion, contrôle interne, accounts payable, accounts receivable, AP, comptes
        fournisseurs, billing, facturation, budget, FP&A, M&A, fusions acquisitions, credit, crédit, recouvrement,
        consolidation, investment, investissement, investor relations, relations investisseurs, order to cash,
        record to report, administratif et financier""",
    "sales": """sales, vente, commercial, business development, business manager, développement commercial,
        revenue, presales, pre-sales, avant-vente, channel, partnership, partenariat, ADV, administration des
        ventes, export, télévente, telesales, clientèle, key account, grands comptes, comptes clés, comptes
        stratégiques""",
    "marketing": """marketing, webmarketing, communication, brand, marque, chef de produit, product manager,
        product, produit, SEO, content, contenu, social media, réseaux sociaux, public relations, relations
        publiques, relations presse, PR, public affairs, affaires publiques, event, événement, événementiel,
        advertising, publicité, growth, market research, études de marché, ecommerce, e-commerce, lead generation,
        lead gen, demand generation, media, merchandising, éditorial, acquisition""",
    "hr": """HR, RH, human resources, ressources humaines, people, recruitment, recruiting, recrutement, talent,
        talent sourcing, paie, payroll, compensation, rémunération, formation, training, learning, learning
        development, relations sociales, dialogue social, staffing, SIRH, HRIS, personnel, administration du
        personnel""",
    "legal": """legal, juridique, law, droit, compliance, conformité, contract, contrat, contentieux, litigation,
        regulatory, réglementaire, affaires réglementaires, affaires juridiques, propriété intellectuelle,
        intellectual property, GDPR, RGPD, privacy""",
    "support": """customer service, customer support, customer success, customer care, customer experience, client
        service, service client, service clientèle, relation client, relation clientèle, expérience client,
        after-sales, après-vente, SAV, hotline, helpdesk, help desk, call center, call centre, centre d'appels""",
    NOTHING: """financial services, services financiers, contrat pro, contrat de professionnalisation, contrat
        d'apprentissage, business partner""",
}

# Settings: the kind of house or the kind of thing that the work is about.
SETTINGS: Final = {
    "it": """IT, SI, informatique, information technology, information system, système d'information, software,
        logiciel, digital, numérique, data, donnée, cyber, cybersecurity, cybersécurité, information security, IT
        security, security engineer, security analyst, sécurité informatique, sécurité des systèmes d'information,
        infrastructure, network, réseau, cloud, web, tech, technology, SAP, ERP, front-end, frontend, back-end,
        backend, full-stack, fullstack, java, python, PHP, UX, UI, AI, IA, machine learning, QA engineer, QA
        analyst, artificial intelligence, intelligence artificielle, business intelligence, BI, business analyst,
        telecom, AMOA, application""",
    "engineering": """engineering, ingénierie, bureau d'études, mechanical, mécanique, electrical, électrique,
        electronic, électronique, génie civil, civil engineer, process engineer, ingénieur procédés,
        industrialisation, méthodes, automation, automatisme, directeur technique, technical director, responsable
        technique""",
    "operations": """operation, operational, opérationnel, operating, COO, supply chain, supply, logistics,
        logistique, production, manufacturing, plant, usine, factory, quality, qualité, QA, QHSE, HSE, warehouse,
        entrepôt, transport, maintenance, exploitation, facility, fleet, flotte, shipping, planning,
        ordonnancement, lean, amélioration continue, continuous improvement, stock, inventory, chantier, travaux,
        atelier, services généraux, moyens généraux, security, sécurité, safety, hygiène, delivery, construction""",
    "research": """R&D, research, recherche, clinical research, recherche clinique, scientific, scientifique,
        laboratory, laboratoire, innovation, chimie, chemistry, biologie""",
    "education": """education, school, école, university, université, teaching, enseignement, pédagogie,
        pédagogique, academic, faculty, college, lycée, campus, scolarité, centre de formation, organisme de
        formation""",
    "health": """health, healthcare, santé, medical, médical, clinical, clinique, hospital, hôpital, hospitalier,
        soin, nursing, pharmacy, pharmaceutical, EHPAD, action sociale, care""",
    "support": "support, technical support, support technique",
    "administration": "administration, administrative, admin, secrétariat, accueil, office, back-office, intendant",
}

# Words that fit any firm: they count only where nothing better is said.
ANYWHERE: Final = {
    "engineering": """engineer, ingénieur, technician, technicien, technical, technique, electrician, électricien,
        mécanicien""",
    "operations": "project, projet, program, programme, PMO, operator, opérateur, foreman, driver, chauffeur",
    "sales": """account, client, representative, représentant, retail, store, magasin, boutique, cashier, caissier,
        broker""",
    "marketing": "design, designer, creative, créatif, writer, rédacteur, editor, journalist, journaliste",
    "finance": "bank, banque, banker, banquier, risk, risque, wealth, patrimoine",
    "executive": """president, vice president, VP, SVP, EVP, DGA, directeur général adjoint, directeur général
        délégué, DGS, directeur général des services, general manager, GM, chairman, chairwoman, chair, board
        member, member of the board, conseil d'administration, comex, codir, comité de direction, partner, associé,
        strategy, stratégie, direction générale, CPO, CSO, CCO, CAO""",
    "support": "customer",
    "administration": "assistant, secretary, secrétaire, clerk, gestionnaire, administrateur, administrator",
    "health": "docteur, Dr, patient",
    NOTHING: "assistant manager, assistant director",
}

LEVELS: Final = {
    "student": """student, étudiant, stagiaire, stage, intern, internship, trainee, apprentice, apprenti,
        apprentie, apprentissage, alternant, alternance, doctorant, PhD candidate, lycéen, élève, undergraduate,
        contrat pro, contrat de professionnalisation""",
    "junior": "junior, jr, jnr, débutant, entry level, graduate",
    "staff": "chargé de mission, conseiller, adviser, advisor",
    "senior": """senior, sr, snr, confirmé, expérimenté, expert, lead, principal, référent, staff engineer, project
        manager, program manager, programme manager, product manager, brand manager, category manager, chef de
        projet, chef de produit, chef de marque, product owner, art director, directeur artistique, maître de
        conférences""",
    "manager": """manager, mgr, mngr, responsable, resp, chef, supervisor, superviseur, team lead, leader, chief,
        chief of staff, foreman, encadrant, assistant manager, assistant director, RAF, RRH, RSSI""",
    "director": """director, directeur, dir, head, head teacher, headmaster, dean, dean of students, doyen,
        proviseur, principal de collège, general manager, GM, country manager, assistant vice president, AVP, DSI,
        DAF, DRH, dircom""",
    "vp": "VP, SVP, EVP, RVP, vice president, vice pres",
    "c_level": """CEO, CFO, CTO, CIO, COO, CMO, CPO, CSO, CCO, CAO, CRO, CDO, CLO, CISO, CHRO, chief executive,
        president, chairman, chairwoman, chair, board member, member of the board, conseil d'administration, comex,
        codir, comité de direction, managing director, MD, executive director, directeur exécutif, non executive
        director, PDG, DG, DGA, DGS, directeur général, general director, direction générale, président directeur
        général, dirigeant, secrétaire général, secretary general, maire, mayor""",
    "owner": """owner, founder, cofounder, fondateur, cofondateur, proprietor, propriétaire, gérant, cogérant,
        patron, chef d'entreprise, entrepreneur, partner, associé, artisan, commerçant""",
    HELPER: "assistant, secretary, secrétaire, PA, EA, attaché de direction",
    RETIRED: "retired, retiree, pensioner, retraité",
    NOTHING: """account manager, key account manager, community manager, social media manager, office manager,
        relationship manager, customer success manager, case manager, process owner, data owner, service owner,
        business partner, HR partner, people partner, talent partner, channel partner, partner manager, partner
        account, partner account manager, partner sales, partner marketing, partner development, partner success,
        professeur associé, chercheur associé, auto-entrepreneur, micro-entrepreneur, lead generation, lead gen,
        lead nurturing, student affairs, student services, student success, vie étudiante, relations étudiantes,
        responsable alternance, responsable des stages, stage manager, early stage, growth stage, maître de stage,
        maître d'apprentissage, intern program, caisse de retraite, maison de retraite, achats responsables, numérique
        responsable, gestionnaire retraite, conseiller retraite, responsable retraite""",
}

# Titles that say nothing, whole.
MEANINGLESS: Final = """na, n a, nc, n c, nr, n r, nd, none, null, nil, nan, undefined, unknown, inconnu, inconnue,
    blank, vide, empty, tbd, tba, test, asdf, azerty, qwerty, non, no, oui, yes, rien, nothing, aucun, aucune,
    sans, no title, sans titre, pas de titre, ras, not specified, not available, not applicable, not provided, non
    renseigné, non renseignée, non communiqué, non précisé, non applicable, non disponible, non défini, à définir,
    à compléter, à renseigner, mr, mrs, ms, m, mme, mlle, monsieur, madame"""

# Small words carry nothing; "to" is kept, since what follows it is another person.
SMALL: Final = """of, the, and, for, in, on, at, with, de, des, du, d, l, la, le, les, un, une, en, a, au, aux, et,
    ou, pour, sur"""
