#include <algorithm>
#include <cctype>

#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

std::string lower(std::string_view value)
{
    std::string out(value);
    for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words)
{
    return std::any_of(words.begin(), words.end(), [&](auto word) { return text.find(word) != std::string_view::npos; });
}

/// "40 keV", "70kev": the energy of a monoenergetic image, never a tube voltage (kV, kVp).
bool names_photon_energy(std::string_view text)
{
    for (auto at = text.find("kev"); at != std::string_view::npos; at = text.find("kev", at + 1)) {
        auto before = at;
        while (before > 0 && (text[before - 1] == ' ' || text[before - 1] == '_')) --before;
        if (before > 0 && std::isdigit(static_cast<unsigned char>(text[before - 1]))) return true;
    }
    return false;
}

/// `word` standing by itself, digits after it allowed ("MIP 10", "MIP10").
bool names_word(std::string_view text, std::string_view word)
{
    const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const auto end = at + word.size();
        if ((at == 0 || !letter(text[at - 1])) && (end == text.size() || !letter(text[end]))) return true;
    }
    return false;
}

}  // namespace

std::string contradiction(const PatientIdentity& a, const PatientIdentity& b)
{
    std::string out;
    const auto compare = [&](std::uint64_t x, std::uint64_t y, const char* what) {
        if (x == 0 || y == 0 || x == y) return;
        out += (out.empty() ? "" : " and ") + std::string(what);
    };
    compare(a.id, b.id, "patient ID");
    compare(a.issuer, b.issuer, "issuer of the patient ID");
    compare(a.birth_date, b.birth_date, "birth date");
    compare(a.sex, b.sex, "sex");
    return out;
}

bool comparable(const PatientIdentity& a, const PatientIdentity& b)
{
    return (a.id && b.id) || (a.birth_date && b.birth_date) || (a.sex && b.sex);
}

std::string_view name(ImageKind kind)
{
    switch (kind) {
    case ImageKind::attenuation: return "attenuation";
    case ImageKind::monoenergetic: return "monoenergetic";
    case ImageKind::virtual_non_contrast: return "virtual-non-contrast";
    case ImageKind::material: return "material";
    case ImageKind::perfusion: return "perfusion";
    case ImageKind::projection: return "projection";
    }
    return "";
}

ImageKind image_kind(std::string_view image_type, std::string_view series_description)
{
    const auto type = lower(image_type);
    const auto text = lower(series_description);
    const auto value = [&](std::string_view wanted) {  // one whole value of Image Type
        const auto values = "\\" + type + "\\";
        return values.find("\\" + std::string(wanted) + "\\") != std::string::npos;
    };
    // The brightest or darkest of a slab: no tissue has that shape or density. An average is a thicker slice and stays.
    if (value("mip") || value("minip") || value("max_ip") || value("min_ip") || value("projection image") || value("volume_render") || value("surface_render") || names_word(text, "mip") ||
        names_word(text, "minip")) return ImageKind::projection;
    // PS3.3 C.8.15.3 (Image Type value 4 of enhanced CT), and what vendors write in classic images.
    if (has_any(type, {"perfusion", "rcbf", "rcbv", "ttp", "tmax"}) || value("mtt") || value("cbf") || value("cbv") || value("permeability")) return ImageKind::perfusion;
    if (has_any(type, {"vnc", "virtual_non_contrast", "virtual_unenhanced", "vue"})) return ImageKind::virtual_non_contrast;
    if (has_any(type, {"iodine", "material", "z_eff", "zeff", "effective_atomic", "electron_density", "uric", "calcium_map", "water_map", "bone_marrow"})) return ImageKind::material;
    if (has_any(type, {"monoenergetic", "mono_energetic", "monoe", "vmi"}) || value("mono") || value("mono_e") || names_photon_energy(type)) return ImageKind::monoenergetic;
    if (has_any(text, {"virtual non", "virtual unenh", "virtual_non"}) || text == "vnc" || text.rfind("vnc ", 0) == 0 || has_any(text, {" vnc"})) return ImageKind::virtual_non_contrast;
    if (has_any(text, {"iodine map", "iodine no water", "iodine density", "iodine(water)", "iodine (water)", "iodine overlay", "z effective", "eff z", "effective z",
                       "electron density", "water(iodine)", "water (iodine)", "uric acid"})) return ImageKind::material;
    // Maps that are named in words alone. A CT "with iodine" is one with contrast: the word by itself counts only where it is all that is said.
    for (const auto* word : {"cbf", "cbv", "mtt", "ttp", "tmax", "tdc"}) {
        if (names_word(text, word)) return ImageKind::perfusion;
    }
    if (text == "iodine" || has_any(text, {"de iodine", "dect iodine", "dual energy iodine", "spectral iodine"}) || value("subtraction")) return ImageKind::material;
    if (names_word(text, "vmi") || has_any(text, {"monochromatic"})) return ImageKind::monoenergetic;
    if (has_any(text, {"monoenergetic", "mono energetic", "monoe"}) || names_photon_energy(text)) return ImageKind::monoenergetic;
    return ImageKind::attenuation;
}

std::string contrast_phase(std::string_view series_description, std::string_view protocol)
{
    const auto words = lower(series_description) + " " + lower(protocol);
    if (has_any(words, {"portal"})) return "portal-venous";
    if (has_any(words, {"arterial"})) return "arterial";
    if (has_any(words, {"delayed"})) return "delayed";
    if (has_any(words, {"unenhanced", "non contrast", "non-contrast", "noncontrast", "native"})) return "none";
    return {};
}

}  // namespace retromass::ingest
