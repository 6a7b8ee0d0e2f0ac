//! Names and places by region, in their own scripts.

/// What people of a region are called and where they live.
pub(super) struct Locale {
    /// Given names with the gender code they suggest (1 male, 2 female).
    pub given: &'static [(&'static str, i64)],
    /// Family names.
    pub family: &'static [&'static str],
    /// Salutations for male and female.
    pub salutations: [&'static str; 2],
    /// Streets.
    pub streets: &'static [&'static str],
    /// Cities with state or province.
    pub cities: &'static [(&'static str, &'static str)],
    /// Country.
    pub country: &'static str,
    /// Country calling code.
    pub calling_code: &'static str,
    /// Digits of a postal code.
    pub postal_digits: usize,
    /// How many of a hundred people live here.
    pub weight: u32,
}

/// All regions; the weights add up to 100.
pub(super) const LOCALES: [Locale; 14] = [
    Locale {
        given: &[
            ("Ada", 2),
            ("Grace", 2),
            ("Oliver", 1),
            ("Henry", 1),
            ("Mary Ann", 2),
            ("Seán", 1),
            ("Zoë", 2),
        ],
        family: &[
            "Byron",
            "Hopper",
            "O'Neill",
            "Smith-Jones",
            "Taylor",
            "Nguyen",
            "MacDonald",
        ],
        salutations: ["Mr.", "Ms."],
        streets: &["High Street", "Church Lane", "Victoria Road"],
        cities: &[
            ("London", "Greater London"),
            ("Leeds", "West Yorkshire"),
            ("Bath", "Somerset"),
        ],
        country: "United Kingdom",
        calling_code: "+44",
        postal_digits: 5,
        weight: 16,
    },
    Locale {
        given: &[
            ("Jürgen", 1),
            ("Käthe", 2),
            ("Björn", 1),
            ("Anneliese", 2),
            ("Günther", 1),
            ("Sören", 1),
        ],
        family: &["Müller", "Weiß", "Größmann", "Schäfer", "von der Heide", "Jäger"],
        salutations: ["Herr", "Frau"],
        streets: &["Königstraße", "Am Bühl", "Lindenallee"],
        cities: &[
            ("München", "Bayern"),
            ("Köln", "Nordrhein-Westfalen"),
            ("Görlitz", "Sachsen"),
        ],
        country: "Deutschland",
        calling_code: "+49",
        postal_digits: 5,
        weight: 16,
    },
    Locale {
        given: &[
            ("François", 1),
            ("Élodie", 2),
            ("Chloé", 2),
            ("Jérôme", 1),
            ("Maëlle", 2),
            ("Loïc", 1),
        ],
        family: &["Lefèvre", "D’Arc", "Bélanger", "Garçon", "Noël", "Müntz"],
        salutations: ["Monsieur", "Madame"],
        streets: &["rue de l’Église", "avenue Foch", "place du Marché"],
        cities: &[("Orléans", "Loiret"), ("Besançon", "Doubs"), ("Nîmes", "Gard")],
        country: "France",
        calling_code: "+33",
        postal_digits: 5,
        weight: 10,
    },
    Locale {
        given: &[
            ("José", 1),
            ("María", 2),
            ("Íñigo", 1),
            ("Begoña", 2),
            ("João", 1),
            ("Conceição", 2),
        ],
        family: &["Muñoz", "García Márquez", "Peña", "Gonçalves", "Simões", "Ibáñez"],
        salutations: ["Sr.", "Sra."],
        streets: &["Calle Mayor", "Avenida da Liberdade", "Plaza de España"],
        cities: &[("A Coruña", "Galicia"), ("Málaga", "Andalucía"), ("Évora", "Alentejo")],
        country: "España",
        calling_code: "+34",
        postal_digits: 5,
        weight: 10,
    },
    Locale {
        given: &[
            ("Zbigniew", 1),
            ("Małgorzata", 2),
            ("Jiří", 1),
            ("Žofie", 2),
            ("Łukasz", 1),
            ("Ágnes", 2),
        ],
        family: &["Wąchocki", "Dvořák", "Szőke", "Błaszczykowski", "Čapek", "Kovács"],
        salutations: ["Pan", "Pani"],
        streets: &["ulica Długa", "Národní třída", "Fő utca"],
        cities: &[
            ("Łódź", "łódzkie"),
            ("Plzeň", "Plzeňský kraj"),
            ("Győr", "Győr-Moson-Sopron"),
        ],
        country: "Polska",
        calling_code: "+48",
        postal_digits: 5,
        weight: 8,
    },
    Locale {
        given: &[
            ("Åsa", 2),
            ("Øyvind", 1),
            ("Sölvi", 1),
            ("Þóra", 2),
            ("Jørgen", 1),
            ("Päivi", 2),
        ],
        family: &[
            "Ångström",
            "Bjørnson",
            "Sæther",
            "Guðmundsdóttir",
            "Hämäläinen",
            "Sjöberg",
        ],
        salutations: ["Herr", "Fru"],
        streets: &["Storgatan", "Karl Johans gate", "Hämeenkatu"],
        cities: &[("Malmö", "Skåne"), ("Tromsø", "Troms"), ("Jyväskylä", "Keski-Suomi")],
        country: "Sverige",
        calling_code: "+46",
        postal_digits: 5,
        weight: 6,
    },
    Locale {
        given: &[("Γιώργος", 1), ("Ελένη", 2), ("Νίκος", 1), ("Ιωάννα", 2)],
        family: &["Παπαδόπουλος", "Νικολαΐδης", "Αγγελοπούλου", "Καζαντζάκης"],
        salutations: ["Κύριος", "Κυρία"],
        streets: &["οδός Ερμού", "λεωφόρος Συγγρού"],
        cities: &[("Αθήνα", "Αττική"), ("Θεσσαλονίκη", "Κεντρική Μακεδονία")],
        country: "Ελλάδα",
        calling_code: "+30",
        postal_digits: 5,
        weight: 4,
    },
    Locale {
        given: &[
            ("Дмитро", 1),
            ("Оксана", 2),
            ("Сергей", 1),
            ("Наталья", 2),
            ("Ґалина", 2),
            ("Ђорђе", 1),
        ],
        family: &["Шевченко", "Достоевский", "Щербакова", "Їжакевич", "Ћирић", "Йорданов"],
        salutations: ["Пан", "Пані"],
        streets: &["вулиця Хрещатик", "бул. Витоша", "улица Ленина"],
        cities: &[
            ("Київ", "Київська область"),
            ("София", "София-град"),
            ("Београд", "Србија"),
        ],
        country: "Україна",
        calling_code: "+380",
        postal_digits: 5,
        weight: 6,
    },
    Locale {
        given: &[("محمد", 1), ("فاطمة", 2), ("يوسف", 1), ("نور", 2)],
        family: &["الخوارزمي", "بن سينا", "حداد", "العلوي"],
        salutations: ["السيد", "السيدة"],
        streets: &["شارع الملك فيصل", "طريق الكورنيش"],
        cities: &[("القاهرة", "القاهرة"), ("دبي", "دبي")],
        country: "مصر",
        calling_code: "+20",
        postal_digits: 5,
        weight: 4,
    },
    Locale {
        given: &[("דוד", 1), ("רחל", 2), ("יעקב", 1), ("שרה", 2)],
        family: &["כהן", "לוי", "בן־גוריון", "מזרחי"],
        salutations: ["מר", "גב׳"],
        streets: &["רחוב הרצל", "שדרות רוטשילד"],
        cities: &[("ירושלים", "מחוז ירושלים"), ("חיפה", "מחוז חיפה")],
        country: "ישראל",
        calling_code: "+972",
        postal_digits: 7,
        weight: 2,
    },
    Locale {
        given: &[("伟", 1), ("秀英", 2), ("小明", 1), ("婷婷", 2), ("𠮷", 1)],
        family: &["王", "李", "欧阳", "陈", "张"],
        salutations: ["先生", "女士"],
        streets: &["南京东路", "解放大道"],
        cities: &[("上海", "上海市"), ("武汉", "湖北省")],
        country: "中国",
        calling_code: "+86",
        postal_digits: 6,
        weight: 6,
    },
    Locale {
        given: &[("さくら", 2), ("健太", 1), ("陽菜", 2), ("ケンジ", 1)],
        family: &["佐藤", "髙橋", "渡邉", "鈴木"],
        salutations: ["様", "様"],
        streets: &["中央区銀座", "西区みなとみらい"],
        cities: &[("東京", "東京都"), ("横浜市", "神奈川県")],
        country: "日本",
        calling_code: "+81",
        postal_digits: 7,
        weight: 5,
    },
    Locale {
        given: &[("민준", 1), ("서연", 2), ("지훈", 1), ("하은", 2)],
        family: &["김", "이", "박", "남궁"],
        salutations: ["님", "님"],
        streets: &["세종대로", "해운대로"],
        cities: &[("서울", "서울특별시"), ("부산", "부산광역시")],
        country: "대한민국",
        calling_code: "+82",
        postal_digits: 5,
        weight: 3,
    },
    Locale {
        given: &[("आदित्य", 1), ("प्रिया", 2), ("कृष्णा", 1), ("ज्योति", 2)],
        family: &["शर्मा", "श्रीवास्तव", "पटेल", "त्रिपाठी"],
        salutations: ["श्री", "श्रीमती"],
        streets: &["महात्मा गांधी मार्ग", "नेहरू रोड"],
        cities: &[("मुंबई", "महाराष्ट्र"), ("वाराणसी", "उत्तर प्रदेश")],
        country: "भारत",
        calling_code: "+91",
        postal_digits: 6,
        weight: 4,
    },
];

#[cfg(test)]
mod tests {
    use super::LOCALES;

    #[test]
    fn weights_add_up_to_a_hundred() {
        assert_eq!(LOCALES.iter().map(|locale| locale.weight).sum::<u32>(), 100);
    }
}
