#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

/// The report as a document: what it says and in which order, not how it looks. report.html and report.pdf are made of the same one. Texts are plain; who draws them escapes them.
namespace retromass::outputs {

struct Cell {
    enum class Look { text, head, number, date, tag, code };
    std::string text;
    Look look = Look::text;
    std::string below;            ///< said smaller, below
};
struct Column {
    std::string title;
    bool number = false;
};
struct Table {
    std::string caption;
    std::vector<Column> columns;
    std::vector<std::vector<Cell>> rows;
};

struct Heading {
    int level = 2;
    std::string text;
    std::string tag;
};
struct Words {
    enum class Look { plain, soft, strong };
    std::string text;
    Look look = Look::plain;
};
/// To be copied as it stands.
struct Extract {
    std::string text;
};
/// What a reader must know: a word or code, where it holds, and why.
struct Remark {
    std::string word;
    std::string where;
    std::string text;
};
struct Remarks {
    std::vector<Remark> items;
};
struct Facts {
    std::vector<std::pair<std::string, std::string>> rows;
};
struct Decided {
    std::string title;
    std::string reason;
    std::string rule;
    std::string inputs;
    std::vector<Remark> remarks;
};
/// Pictures side by side, of equal size; more than fit go on below or to the side.
struct Figures {
    struct Figure {
        std::string file;         ///< in the folder of pictures
        std::string alt;
        std::string caption;
    };
    std::vector<Figure> items;
    bool one_row = false;         ///< drawn at one scale, to be compared along the row
};
struct Card {
    std::string label;
    std::string big;
    std::string text;
};
struct Cards {
    std::vector<Card> items;
};

/// A drawing in pixels, y down. A style is a word of the report's styles; ink is the number of a lesion's colour, -1 = that of the style.
struct Shape {
    enum class Kind { line, box, disc, ring, text };
    enum class Anchor { start, middle, end };
    Kind kind = Kind::line;
    double x0 = 0, y0 = 0, x1 = 0, y1 = 0;   ///< ends; corners; the middle of a disc, a ring or a text
    std::string style;
    int ink = -1;
    std::string text;
    Anchor anchor = Anchor::middle;
};
struct Drawing {
    double width = 0, height = 0;
    std::string title;
    std::string description;
    std::vector<Shape> shapes;
};

using Block = std::variant<Heading, Words, Extract, Remarks, Facts, Table, Decided, Figures, Cards, Drawing>;

struct Document {
    std::string title;
    std::string band;             ///< above and below every page
    std::string use;              ///< what it must not be used for
    std::string protocol;         ///< name, version and hash of the trial's rules; empty = under none
    std::vector<Block> answer;    ///< the first screen ...
    std::vector<Block> aside;     ///< ... and what stands beside its drawing
    std::vector<Block> body;
    std::string footer;
};

}  // namespace retromass::outputs
