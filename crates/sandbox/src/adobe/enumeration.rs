//! Enumerations: fixed lists of named values (contracts/campaign.md §5.1 and §5.5).

/// The pseudo member every enumeration lists in its metadata and nobody may write (contracts/campaign.md §5.1).
pub(super) const INVALID_MEMBER: &str = "__Invalid_value__";

/// One value of an enumeration.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// What stands on the wire.
    pub(super) name: String,
    pub(super) label: String,
    /// What the database holds.
    pub(super) value: String,
}

/// A named list of values. The first member is what an empty field reads as.
#[derive(Debug)]
pub(super) struct Enumeration {
    pub(super) name: &'static str,
    numeric: bool,
    members: Vec<Member>,
}

impl Enumeration {
    /// An enumeration stored as a number: `(name, label)`, numbered from 0.
    pub(super) fn numbered(name: &'static str, members: &[(&str, &str)]) -> Self {
        let members = (0..)
            .zip(members)
            .map(|(value, (name, label)): (u8, _)| Member {
                name: (*name).to_owned(),
                label: (*label).to_owned(),
                value: value.to_string(),
            })
            .collect();
        Self {
            name,
            numeric: true,
            members,
        }
    }

    /// An enumeration stored as its names, with `none` for the empty value: `(name, label)`.
    pub(super) fn named(name: &'static str, members: &[(&str, &str)]) -> Self {
        let none = Member {
            name: "none".to_owned(),
            label: "None".to_owned(),
            value: String::new(),
        };
        let others = members.iter().map(|(name, label)| Member {
            name: (*name).to_owned(),
            label: (*label).to_owned(),
            value: (*name).to_owned(),
        });
        Self {
            name,
            numeric: false,
            members: std::iter::once(none).chain(others).collect(),
        }
    }

    /// `resType` of its fields.
    pub(super) fn storage(&self) -> &'static str {
        if self.numeric { "byte" } else { "string" }
    }

    /// Whether values are numbers.
    pub(super) fn is_numeric(&self) -> bool {
        self.numeric
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Position of the member of this name.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }

    /// Name of the member at a position; the empty member's name for a position that does not exist.
    pub(super) fn member_name(&self, position: usize) -> &str {
        self.members
            .get(position)
            .or(self.members.first())
            .map_or("", |member| &member.name)
    }
}

/// `gender`.
pub(super) fn gender() -> Enumeration {
    Enumeration::numbered(
        "gender",
        &[("unknown", "Not provided"), ("male", "Male"), ("female", "Female")],
    )
}

/// `emailFormat`.
pub(super) fn email_format() -> Enumeration {
    Enumeration::numbered(
        "emailFormat",
        &[("unknown", "Unknown"), ("text", "Text"), ("html", "HTML")],
    )
}

/// `messageType` of services: the channel.
pub(super) fn message_type() -> Enumeration {
    Enumeration::numbered("messageType", &[("email", "Email"), ("sms", "Mobile (SMS)")])
}

/// `mode` of services.
pub(super) fn service_mode() -> Enumeration {
    Enumeration::numbered("mode", &[("newsletter", "Newsletter"), ("viral", "Viral")])
}

/// `preferredLanguage`. The complete list is not public; these are the languages Campaign's own interface and content
/// support.
pub(super) fn preferred_language() -> Enumeration {
    Enumeration::named(
        "preferredLanguage",
        &[
            ("de_de", "German"),
            ("en_gb", "English (United Kingdom)"),
            ("en_us", "English (United States)"),
            ("es_es", "Spanish"),
            ("fr_fr", "French"),
            ("it_it", "Italian"),
            ("ja_jp", "Japanese"),
            ("ko_kr", "Korean"),
            ("nl_nl", "Dutch"),
            ("pt_br", "Portuguese (Brazil)"),
            ("zh_cn", "Chinese (simplified)"),
        ],
    )
}

/// `cusSegment`, an example of a custom enumeration.
pub(super) fn segment() -> Enumeration {
    Enumeration::named(
        "cusSegment",
        &[
            ("prospect", "Prospect"),
            ("regular", "Regular customer"),
            ("premium", "Premium customer"),
        ],
    )
}

/// `timeZone`: `none`, `GMT`, fixed offsets, and zones with `_` for `/` (contracts/campaign.md §5.5).
pub(super) fn time_zone() -> Enumeration {
    let mut enumeration = Enumeration::named("timeZone", &[("GMT", "GMT")]);
    // The signs of stored values are those of POSIX zone names: the opposite of the member names.
    let fixed = |sign: char, stored_sign: char, hours: i32| Member {
        name: format!("Gmt_{sign}{hours}"),
        label: format!("GMT {}{hours:02}:00", if sign == 'm' { '-' } else { '+' }),
        value: format!("Etc/GMT{stored_sign}{hours}"),
    };
    enumeration
        .members
        .extend((1..=11).filter(|&hours| hours != 9).map(|hours| fixed('m', '+', hours)));
    enumeration.members.extend((1..=13).map(|hours| fixed('p', '-', hours)));
    for (region, cities) in ZONES {
        enumeration.members.extend(cities.split(' ').map(|city| Member {
            name: format!("{region}_{city}"),
            label: city.replace('_', " "),
            value: format!("{region}/{city}"),
        }));
    }
    enumeration
}

const ZONES: [(&str, &str); 8] = [
    ("Africa", "Cairo Casablanca Harare Luanda Monrovia Nairobi Windhoek"),
    (
        "America",
        "Anchorage Asuncion Bogota Buenos_Aires Caracas Chicago Chihuahua Cuiaba Denver Godthab Halifax Indianapolis \
         La_Paz Los_Angeles Manaus Mexico_City Montevideo New_York Phoenix Regina Santiago Sao_Paulo St_Johns",
    ),
    (
        "Asia",
        "Amman Baghdad Baku Bangkok Beirut Colombo Damascus Dhaka Irkutsk Jerusalem Kabul Karachi Katmandu Kolkata \
         Krasnoyarsk Kuala_Lumpur Muscat Novosibirsk Rangoon Riyadh Seoul Shanghai Taipei Tbilisi Tehran Tokyo \
         Ulan_Bator Vladivostok Yakutsk Yekaterinburg Yerevan",
    ),
    ("Atlantic", "Azores Cape_Verde Reykjavik South_Georgia"),
    ("Australia", "Adelaide Brisbane Canberra Darwin Hobart Perth"),
    (
        "Europe",
        "Athens Belgrade Berlin Bucharest Helsinki London Moscow Paris Sarajevo",
    ),
    ("Indian", "Mauritius"),
    ("Pacific", "Auckland Fiji Guadalcanal Guam Honolulu Samoa Tongatapu"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_have_the_published_names_and_turn_the_sign_of_fixed_offsets() {
        let zones = time_zone();
        assert_eq!(zones.member_name(0), "none");
        for name in [
            "GMT",
            "Gmt_m8",
            "Gmt_m10",
            "Gmt_p13",
            "Europe_London",
            "America_Mexico_City",
            "Indian_Mauritius",
        ] {
            assert!(zones.position(name).is_some(), "{name}");
        }
        for name in ["Gmt_m9", "Gmt_m12", "Gmt_p0", "Gmt_p14", "Europe/London"] {
            assert!(zones.position(name).is_none(), "{name}");
        }
        let one_hour_behind = &zones.members()[zones.position("Gmt_m1").unwrap()];
        assert_eq!(one_hour_behind.value, "Etc/GMT+1");
    }
}
