<?php
/**
 * The page that the owner of a domain sees who has the link to it: whose turn it is, what to change, three lights, and
 * the button that has the domain looked at.
 *
 * It is served before any theme, to anybody who has the link. So nothing internal may ever be on it, everything is escaped, nothing
 * of it is cached, and all that can be done with it is to look again, within limits.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The page.
 */
final class Status_Page {

	/**
	 * What the answer to the button leads back to.
	 */
	const LOOKED = 'looked';

	/**
	 * The lamp of each state; of any other it is `none`.
	 */
	const LAMPS = array(
		'present'   => 'ready',
		'here'      => 'ready',
		'valid'     => 'ready',
		'wanted'    => 'going',
		'adding'    => 'going',
		'missing'   => 'going',
		'expiring'  => 'care',
		'elsewhere' => 'care',
		'rejected'  => 'care',
		'invalid'   => 'stop',
	);

	/**
	 * The shape of each lamp: none is told by its colour alone.
	 */
	const SHAPES = array(
		'ready' => '<path fill-rule="evenodd" d="M10 1a9 9 0 1 1 0 18a9 9 0 0 1 0-18ZM5 10.400l1.500-1.500l2.400 2.400l4.800-4.900l1.500 1.500l-6.300 6.400Z"/>',
		'going' => '<circle cx="10" cy="10" r="8" fill="none" stroke="currentColor" stroke-width="2"/><path d="M10 5a5 5 0 0 1 0 10Z"/>',
		'care'  => '<path fill-rule="evenodd" d="M10 1l9 9l-9 9l-9-9ZM9 5v6h2V5ZM9 13v2h2v-2Z"/>',
		'stop'  => '<path fill-rule="evenodd" d="M6 1h8l5 5v8l-5 5H6l-5-5V6ZM7 6L6 7l3 3l-3 3l1 1l3-3l3 3l1-1l-3-3l3-3l-1-1l-3 3Z"/>',
		'none'  => '<circle cx="10" cy="10" r="8" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3.100 3.180"/>',
	);

	/**
	 * The words of the visitor's language.
	 *
	 * @var array
	 */
	private $words;

	/**
	 * Its code.
	 *
	 * @var string
	 */
	private $language;

	/**
	 * What was sent as the token.
	 *
	 * @var string
	 */
	private $token;

	/**
	 * The time.
	 *
	 * @var int
	 */
	private $now;

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( 'setup_theme', array( self::class, 'serve' ), 0 );
	}

	/**
	 * Answer the request and end it, if it is for a status page.
	 */
	public static function serve() {
		// phpcs:disable WordPress.Security.NonceVerification -- Who has the link may see and do all that there is.
		if ( ! isset( $_GET[ Status_Links::PARAMETER ] ) || ! is_main_site() ) {
			return;
		}
		$token  = is_string( $_GET[ Status_Links::PARAMETER ] ) ? sanitize_text_field( wp_unslash( $_GET[ Status_Links::PARAMETER ] ) ) : '';
		$chosen = isset( $_GET['lang'] ) && is_string( $_GET['lang'] ) ? sanitize_key( $_GET['lang'] ) : '';
		// phpcs:enable
		$page = new self( $token, $chosen );
		$page->answer( isset( $_SERVER['REQUEST_METHOD'] ) ? (string) $_SERVER['REQUEST_METHOD'] : 'GET' );
		exit;
	}

	/**
	 * The page of a token.
	 *
	 * @param string $token  What was sent as one.
	 * @param string $chosen The language that was chosen; empty for none.
	 */
	private function __construct( $token, $chosen ) {
		$accepted       = isset( $_SERVER['HTTP_ACCEPT_LANGUAGE'] ) ? sanitize_text_field( wp_unslash( $_SERVER['HTTP_ACCEPT_LANGUAGE'] ) ) : '';
		$this->language = Status_Words::language( $chosen, $accepted, get_locale() );
		$this->words    = Status_Words::in( $this->language );
		$this->token    = $token;
		$this->now      = time();
	}

	/**
	 * Answer a request.
	 *
	 * @param string $method Its method.
	 */
	private function answer( $method ) {
		self::send_headers();
		if ( ! in_array( $method, array( 'GET', 'HEAD', 'POST' ), true ) ) {
			status_header( 405 );
			header( 'Allow: GET, HEAD, POST' );
			return;
		}
		$link = Status_Links::find( $this->token );
		if ( null === $link ) {
			status_header( 404 );
			$this->show( $method, $this->words['gone'], $this->gone() );
			return;
		}
		$wait = 'POST' === $method ? $this->look( $link ) : 0;
		if ( 'POST' === $method && 0 === $wait ) {
			status_header( 303 );
			header( 'Location: ' . $this->address( $this->language ) . '&' . self::LOOKED . '=1' );
			return;
		}
		if ( 0 !== $wait ) {
			status_header( 429 );
			header( "Retry-After: $wait" );
		} else {
			status_header( 200 );
		}
		$page = Owner_Pages::of( $link['id'], $link['domain'] );
		$name = null === $page ? $link['domain'] : $page['display'];
		$this->show( $method, $name, $this->notice( $wait ) . $this->content( $name, $page ) );
	}

	/**
	 * Have the domain looked at.
	 *
	 * @param array $link Its link.
	 * @return int 0 where that is asked for; else after how many seconds to try again.
	 */
	private function look( array $link ) {
		$wait = Look_Limits::take( $link['id'], $this->now );
		return 0 === $wait && ! Rechecks::add( $link['domain'] ) ? Look_Limits::WINDOW : $wait;
	}

	/**
	 * The headers of every answer: nobody keeps it, finds it or frames it, and nothing of others is loaded.
	 */
	private static function send_headers() {
		if ( ! defined( 'DONOTCACHEPAGE' ) ) {
			define( 'DONOTCACHEPAGE', true );
		}
		nocache_headers();
		header( 'Cache-Control: no-store' );
		header( 'Content-Type: text/html; charset=utf-8' );
		header( 'X-Robots-Tag: noindex, nofollow, noarchive' );
		header( 'Referrer-Policy: no-referrer' );
		header( 'X-Content-Type-Options: nosniff' );
		header( "Content-Security-Policy: default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" );
	}

	/**
	 * Print a page.
	 *
	 * @param string $method Of the request.
	 * @param string $title  What it is about.
	 * @param string $html   What is on it, escaped.
	 */
	private function show( $method, $title, $html ) {
		if ( 'HEAD' === $method ) {
			return;
		}
		// The address of a style elsewhere, at a CDN, would be refused.
		$style = wp_parse_url( plugins_url( 'assets/status.css', FILE ), PHP_URL_PATH ) . '?ver=' . Plugin::version();
		printf(
			'<!doctype html><html lang="%s"><head><meta charset="utf-8"><title>%s</title><meta name="viewport" content="width=device-width, initial-scale=1">'
			. '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><link rel="stylesheet" href="%s"></head><body><main>%s</main><footer><p>',
			esc_attr( $this->language ),
			esc_html( $title . ' · ' . $this->words['status'] ),
			esc_url( $style ),
			$html // phpcs:ignore WordPress.Security.EscapeOutput
		);
		foreach ( Status_Words::LANGUAGES as $language => $name ) {
			$is_current = $language === $this->language ? ' aria-current="true"' : '';
			printf( '<a href="%s" lang="%s" hreflang="%2$s"%s>%s</a> ', esc_url( $this->address( $language ) ), esc_attr( $language ), $is_current, esc_html( $name ) ); // phpcs:ignore WordPress.Security.EscapeOutput
		}
		echo '</p></footer></body></html>';
	}

	/**
	 * The address of this page, from where it is.
	 *
	 * @param string $language In which language.
	 * @return string
	 */
	private function address( $language ) {
		return '?' . Status_Links::PARAMETER . '=' . rawurlencode( $this->token ) . "&lang=$language";
	}

	/**
	 * What a page without a valid link says.
	 *
	 * @return string HTML, escaped.
	 */
	private function gone() {
		return self::tag( 'h1', $this->words['gone'] ) . self::tag( 'p', sprintf( $this->words['ask_new'], self::network() ) );
	}

	/**
	 * Who operates the network.
	 *
	 * @return string
	 */
	private static function network() {
		$name = (string) get_network()->site_name;
		return '' === $name ? get_network()->domain : $name;
	}

	/**
	 * The answer to the button.
	 *
	 * @param int $wait After how many seconds to try again; 0 where there is no need.
	 * @return string HTML, escaped.
	 */
	private function notice( $wait ) {
		if ( 0 !== $wait ) {
			$when = Status_Words::moment( $this->words, $this->now + $wait, $this->now );
			return self::tag( 'p role="status" class="notice"', sprintf( $this->words['too_often'], $when ) );
		}
		// phpcs:ignore WordPress.Security.NonceVerification -- Only whether a sentence is shown.
		return isset( $_GET[ self::LOOKED ] ) ? self::tag( 'p role="status" class="notice"', $this->words['looked'] ) : '';
	}

	/**
	 * All that is known of the domain.
	 *
	 * @param string     $name The domain as people write it.
	 * @param array|null $page What is reported of it; null for nothing.
	 * @return string HTML, escaped.
	 */
	private function content( $name, $page ) {
		$html = self::tag( 'p class="soft"', $this->words['status'] ) . self::tag( 'h1', $name );
		if ( null === $page ) {
			return $html . '<section>' . $this->turn( 'none', $this->words['unknown'] ) . $this->button( 'look' ) . '</section>' . $this->foot();
		}
		$is_theirs = 'owner' === $page['turn'];
		$html     .= '<section>' . $this->headline( $page, $is_theirs );
		foreach ( array_filter( explode( "\n\n", $page['texts'][ $this->language ] ) ) as $paragraph ) {
			$html .= self::tag( 'p', $paragraph );
		}
		return $html . $this->records( $page['records'] ) . $this->times( $page )
			. $this->button( $is_theirs ? 'changed' : 'look' ) . '</section>' . $this->lights( $page['lights'] ) . $this->foot();
	}

	/**
	 * Whose turn it is.
	 *
	 * @param array $page      What is reported.
	 * @param bool  $is_theirs Whether it is the owner's.
	 * @return string HTML, escaped.
	 */
	private function headline( array $page, $is_theirs ) {
		if ( ! $is_theirs ) {
			return $page['ready'] ? $this->turn( 'ready', $this->words['ready'] ) : $this->turn( 'going', $this->words['nobody'] );
		}
		$count = count( $page['records'] );
		$text  = 0 === $count ? '' : ': ' . Status_Words::count( $this->words['to_change'], $count );
		return $this->turn( 'care', $this->words['owner'] . $text );
	}

	/**
	 * A headline with its lamp.
	 *
	 * @param string $lamp The lamp.
	 * @param string $text The text.
	 * @return string HTML, escaped.
	 */
	private function turn( $lamp, $text ) {
		return '<h2 class="turn">' . self::lamp( $lamp ) . self::tag( 'span', $text ) . '</h2>';
	}

	/**
	 * The records to change: each value is selected whole, so that it can be copied.
	 *
	 * @param array[] $records As they are kept.
	 * @return string HTML, escaped; empty for none.
	 */
	private function records( array $records ) {
		if ( array() === $records ) {
			return '';
		}
		$head = '';
		foreach ( $this->words['columns'] as $column ) {
			$head .= self::tag( 'th scope="col"', $column );
		}
		$rows = '';
		foreach ( $records as $record ) {
			$action = Status_Words::action( $this->words, $record );
			$rows  .= '<tr>' . $this->cell( 0, self::tag( 'strong', $action ) ) . $this->cell( 1, self::values( array( $record['type'] ) ) )
				. $this->cell( 2, self::values( array( $record['name'] ) ) ) . $this->cell( 3, self::values( $record['found'] ) ) . $this->cell( 4, self::values( $record['wanted'] ) ) . '</tr>';
		}
		return "<table><thead><tr>$head</tr></thead><tbody>$rows</tbody></table>";
	}

	/**
	 * A cell of the records, which names its column where there is no room for a head.
	 *
	 * @param int    $column Which.
	 * @param string $html   What is in it, escaped.
	 * @return string HTML, escaped.
	 */
	private function cell( $column, $html ) {
		return sprintf( '<td data-label="%s">%s</td>', esc_attr( $this->words['columns'][ $column ] ), $html );
	}

	/**
	 * Values, a line each.
	 *
	 * @param string[] $values They.
	 * @return string HTML, escaped.
	 */
	private static function values( array $values ) {
		$html = '';
		foreach ( $values as $value ) {
			$html .= self::tag( 'code', $value );
		}
		return '' === $html ? '&mdash;' : $html;
	}

	/**
	 * When it was looked at, and is next. Of an engine that is silent, when it last said so.
	 *
	 * @param array $page What is reported.
	 * @return string HTML, escaped.
	 */
	private function times( array $page ) {
		if ( ! Engine::is_heard_of() ) {
			$html = $this->sentence( 'as_of', Engine::heard_at() );
		} else {
			$html  = null === $page['last'] ? '' : $this->sentence( 'last', min( $page['last'], $this->now ) ) . ' ';
			$html .= null === $page['next'] ? '' : $this->next( $page['next'] );
		}
		return "<p class=\"soft\">$html</p>";
	}

	/**
	 * When it is looked at next.
	 *
	 * @param int $time Then.
	 * @return string HTML, escaped.
	 */
	private function next( $time ) {
		return $time > $this->now ? $this->sentence( 'next', $time ) : esc_html( sprintf( $this->words['next'], $this->words['now'] ) );
	}

	/**
	 * A sentence with a time in it.
	 *
	 * @param string $words Its name among the words.
	 * @param int    $time  The time.
	 * @return string HTML, escaped.
	 */
	private function sentence( $words, $time ) {
		$near = self::tag( sprintf( 'time datetime="%s" title="%s UTC"', gmdate( 'c', $time ), gmdate( 'Y-m-d H:i', $time ) ), Status_Words::moment( $this->words, $time, $this->now ) );
		return sprintf( esc_html( $this->words[ $words ] ), $near );
	}

	/**
	 * The button that has the domain looked at.
	 *
	 * @param string $label Its name among the words.
	 * @return string HTML, escaped.
	 */
	private function button( $label ) {
		return sprintf( '<form method="post" action="%s"><button type="submit">%s</button></form>', esc_url( $this->address( $this->language ) ), esc_html( $this->words[ $label ] ) );
	}

	/**
	 * The three lights.
	 *
	 * @param array[] $lights As they are kept.
	 * @return string HTML, escaped.
	 */
	private function lights( array $lights ) {
		$html   = '';
		$states = array_map( 'strval', wp_list_pluck( $lights, 'state' ) );
		foreach ( $this->words['lights'] as $name => $title ) {
			$state = isset( $states[ $name ] ) ? $states[ $name ] : '';
			$lamp  = isset( self::LAMPS[ $state ] ) ? self::LAMPS[ $state ] : 'none';
			$word  = $this->words['states'][ isset( $this->words['states'][ $state ] ) ? $state : '' ];
			if ( 'certificate' === $name && 'none' === $lamp && isset( $states['dns'] ) && 'here' !== $states['dns'] ) {
				$word = $this->words['after_dns'];
			}
			$since = isset( $lights[ $name ]['since'] ) ? '<p class="soft">' . $this->sentence( 'since', min( $lights[ $name ]['since'], $this->now ) ) . '</p>' : '';
			$html .= '<li>' . self::lamp( $lamp ) . '<div>' . self::tag( 'h3', $title ) . self::tag( 'p', $word ) . "$since</div></li>";
		}
		return "<ul class=\"lights\">$html</ul>";
	}

	/**
	 * Who else sees this, and who can end it.
	 *
	 * @return string HTML, escaped.
	 */
	private function foot() {
		return self::tag( 'p class="soft"', sprintf( $this->words['foot'], self::network() ) );
	}

	/**
	 * A lamp.
	 *
	 * @param string $lamp Which.
	 * @return string HTML, escaped.
	 */
	private static function lamp( $lamp ) {
		return "<svg class=\"$lamp\" viewBox=\"0 0 20 20\" fill=\"currentColor\" aria-hidden=\"true\">" . self::SHAPES[ $lamp ] . '</svg>';
	}

	/**
	 * An element with a text in it.
	 *
	 * @param string $tag  Its name, and its attributes, escaped.
	 * @param string $text The text.
	 * @return string HTML, escaped.
	 */
	private static function tag( $tag, $text ) {
		return "<$tag>" . esc_html( $text ) . '</' . explode( ' ', $tag )[0] . '>';
	}
}
