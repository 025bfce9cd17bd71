<?php
/**
 * The form on our page that asks what stands in the way of a name before it is mapped, and its answer.
 *
 * It warns and never refuses: whoever maps the name does that in Ultimate Multisite, whatever was found.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The form.
 */
final class Name_Form {

	/**
	 * The form, where there is an engine to ask.
	 */
	public static function show() {
		$ledger = Engine::report()['ledger'];
		if ( null === $ledger || ! Engine::is_switched_on() ) {
			return;
		}
		printf( '<h2>%s</h2><div class="closte-sync-decide">', esc_html__( 'Look at a name before it is mapped', 'closte-sync' ) );
		Decisions::open_form( 'explain', null, $ledger );
		printf( '<label>%s <input type="text" name="what" required maxlength="253" placeholder="shop.example.com" autocapitalize="off" spellcheck="false"></label> ', esc_html__( 'Domain', 'closte-sync' ) );
		Decisions::close_form( __( 'Look', 'closte-sync' ), 'button' );
		echo '</div>';
	}

	/**
	 * The name that somebody wrote; ends the request where it is none.
	 *
	 * @param string $text What was written.
	 * @return string
	 */
	public static function demand( $text ) {
		$name = strtolower( rtrim( trim( $text ), '.' ) );
		if ( 253 < strlen( $name ) || 1 !== preg_match( '/^(\*\.)?([\p{L}\p{N}]([\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.)+\p{L}[\p{L}\p{M}\p{N}-]*\z/u', $name ) ) {
			$args = array(
				'response'  => 400,
				'back_link' => true,
			);
			/* translators: %s: what somebody wrote. */
			wp_die( esc_html( sprintf( __( '"%s" is not a domain name. Write the bare name, like shop.example.com.', 'closte-sync' ), $text ) ), '', $args ); // phpcs:ignore WordPress.Security.EscapeOutput
		}
		return $name;
	}

	/**
	 * What the engine found, in the types and the length that we rely on.
	 *
	 * @param array $told What came.
	 * @return array Its `display`, and the first finding as `text`, `turn` and `records`; without text nothing is found.
	 */
	public static function tidy( array $told ) {
		$findings = array_values( array_filter( Engine::items( $told, 'findings' ), 'is_array' ) );
		$first    = array() === $findings ? array() : $findings[0];
		return array(
			'display' => Owner_Pages::short( (string) Engine::text( $told, 'display' ), Engine::LONGEST ),
			'text'    => Owner_Pages::short( (string) Engine::text( $first, 'text' ), Engine::LONGEST ),
			'turn'    => (string) Engine::text( $first, 'turn' ),
			'records' => Owner_Pages::records( $first ),
		);
	}

	/**
	 * Show what was found, and where the name is mapped.
	 *
	 * @param array $found As `tidy` returns it.
	 */
	public static function show_answer( array $found ) {
		$is_clear = '' === $found['text'];
		/* translators: %s: a domain. */
		$title = $is_clear ? __( 'Nothing stands in the way of %s.', 'closte-sync' ) : __( '%s can be mapped, but would not work yet.', 'closte-sync' );
		printf( '<div class="notice notice-%s inline"><p><strong>%s</strong></p>', $is_clear ? 'success' : 'warning', esc_html( sprintf( $title, $found['display'] ) ) );
		if ( ! $is_clear ) {
			printf( '<p>%s <strong>%s</strong></p>', esc_html( $found['text'] ), esc_html( Words::turn( $found ) ) );
			self::show_records( $found['records'] );
		}
		$page = network_admin_url( 'admin.php?page=' . Domain_Pages::LIST_PAGE );
		printf( '<p><a href="%s">%s</a></p></div>', esc_url( $page ), esc_html__( 'Map it in Ultimate Multisite: Add Domain', 'closte-sync' ) );
	}

	/**
	 * The records to make or change.
	 *
	 * @param array[] $records As `Owner_Pages::records` returns them.
	 */
	private static function show_records( array $records ) {
		if ( array() === $records ) {
			return;
		}
		$words = Status_Words::in( Status_Words::language( '', '', get_locale() ) );
		echo '<table class="widefat striped closte-sync-records"><thead><tr>';
		foreach ( $words['columns'] as $column ) {
			printf( '<th scope="col">%s</th>', esc_html( $column ) );
		}
		echo '</tr></thead><tbody>';
		foreach ( $records as $record ) {
			$action = Status_Words::action( $words, $record );
			$cells  = array( $action, $record['type'], $record['name'], implode( "\n", $record['found'] ), implode( "\n", $record['wanted'] ) );
			printf( '<tr>%s</tr>', implode( '', array_map( array( self::class, 'cell' ), $cells ) ) ); // phpcs:ignore WordPress.Security.EscapeOutput
		}
		echo '</tbody></table>';
	}

	/**
	 * A cell of that table.
	 *
	 * @param string $text What is in it.
	 * @return string HTML, escaped.
	 */
	private static function cell( $text ) {
		return '<td>' . nl2br( esc_html( $text ) ) . '</td>';
	}
}
